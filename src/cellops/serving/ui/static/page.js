// The page of the server. All text is set as text: names of columns and categories are other people's.

const KEPT = 'cellops-token';
const EVERY = 5000;
const MOST_POINTS = 120;
const SVG = 'http://www.w3.org/2000/svg';

const $ = id => document.getElementById(id);

/** An element with attributes and children; strings become text. */
function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

/** Ask the server; an answer that is an error is thrown as what it says. */
async function ask(path, question) {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem(KEPT)}` };
  const asked = question === undefined ? { headers } : {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'application/json' },
    body: JSON.stringify(question)
  };
  let answer;
  try {
    answer = await fetch(path, asked);
  } catch {
    throw new Refusal('The server does not answer. See that it runs.', 0, {});
  }
  const document = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(document.error ?? `The server answered ${answer.status}.`, answer.status, document);
  return document;
}

class Refusal extends Error {
  constructor(words, status, data) {
    super(words);
    this.status = status;
    this.data = data;
  }
}

// Numbers

const whole = new Intl.NumberFormat('en');
const plain = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });
const count = number => whole.format(number);

/** Numbers with as many decimals as the largest of them needs, so that they stand below each other. */
function aligned(numbers, sign, besides = numbers) {
  const most = Math.max(...besides.map(Math.abs)) || 1;
  const digits = Math.min(12, Math.max(0, 3 - Math.floor(Math.log10(most))));
  const format = new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return numbers.map(number => `${sign ? (number < 0 ? '−' : '+') : ''}${format.format(Math.abs(number))}`);
}

function duration(seconds, [least, most]) {
  if (seconds === null) return '–';
  if (seconds <= least) return `< ${plain.format(least * 1000)} ms`;
  if (seconds >= most) return `> ${most} s`;
  return seconds < 1 ? `${Math.round(seconds * 10000) / 10} ms` : `${Math.round(seconds * 100) / 100} s`;
}

function ago(seconds) {
  const units = [['day', 86400], ['hour', 3600], ['minute', 60], ['second', 1]];
  const [name, size] = units.find(([, size]) => seconds >= size) ?? units[3];
  const number = Math.max(0, Math.floor(seconds / size));
  return `${number} ${name}${number === 1 ? '' : 's'}`;
}

// State

const seen = [];

async function refresh() {
  try {
    const state = await ask('ui/state');
    $('state-said').textContent = '';
    show(state);
  } catch (error) {
    if (error.status === 401) return close('The token is not taken. Type it again.');
    $('state-said').textContent = error.message;
  }
}

function show(state) {
  $('models').replaceChildren(...state.models.map(model => card(model, state)));
  showTraffic(state);
  $('logs').replaceChildren(...state.models.map(logs));
  $('drift').replaceChildren(...state.models.filter(model => model.is_default).map(drift));
}

function card(model, state) {
  const version = state.models.length > 1 && model.is_default ? `${model.version}, the default` : model.version;
  const facts = [
    ['State', el('span', { class: 'good' }, `ready for ${ago(state.now - model.since)}`)],
    ['Since', when(model.since)],
    ['Version', version],
    ...(model.role ? [['Rollout', model.role]] : []),
    ['Predicts', `${model.target} (${model.task})`],
    ['Package', el('code', {}, model.package)],
    ['Made', when(Date.parse(model.made) / 1000)],
    ['Format', model.format],
    ['Parity', `${count(model.parity_rows)} rows answered as in training`]
  ];
  const list = facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]);
  return el('article', { class: 'card' }, el('h3', {}, model.name), el('dl', {}, ...list));
}

function when(seconds) {
  if (Number.isNaN(seconds)) return '–';
  const time = new Date(seconds * 1000);
  return el('time', { datetime: time.toISOString() }, time.toISOString().slice(0, 16).replace('T', ' ') + ' UTC');
}

function showTraffic(state) {
  const most = Math.max(1, ...state.traffic.map(route => route.requests));
  const versions = new Map(state.traffic.map(route => [`${route.model} ${route.version}`, route.model]));
  const several = versions.size > 1;
  const askedOf = route => [...versions.values()].filter(model => model === route.model).length > 1 ? `${route.model} ${route.version}` : route.model;
  $('traffic').replaceChildren(...state.traffic.map(route => {
    const of = digit => Object.entries(route.codes).filter(([code]) => digit.includes(code[0]));
    const sum = found => found.reduce((total, [, number]) => total + number, 0);
    const named = found => found.map(([code, number]) => `${code}: ${count(number)}`).join(', ');
    const cell = (digits, look) => {
      const found = of(digits);
      return el('td', { title: named(found), class: sum(found) ? look : 'soft' }, count(sum(found)));
    };
    const called = route.route === 'none' ? 'no such path' : route.route;
    const name = several ? `${called} · ${askedOf(route)}` : called;
    return el('tr', {},
      el('th', { scope: 'row', title: name }, name),
      el('td', { class: 'text' }, route.protocol),
      el('td', { class: 'bar-cell' }, svg('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
        svg('rect', { class: 'bar', width: 100 * route.requests / most, height: 10 }))),
      el('td', {}, count(route.requests)),
      cell('123', ''), cell('4', 'bad'), cell('5', 'bad'),
      ...['p50', 'p95', 'p99'].map(share => el('td', {}, duration(route[share], state.resolution))));
  }));
  if (!state.traffic.length) $('traffic').append(el('tr', {}, el('td', { colspan: 10, class: 'text soft' }, 'No request yet.')));
  const asked = state.traffic.filter(route => route.route === 'predict').sort((a, b) => b.requests - a.requests)[0];
  remember(state.now, state.traffic.reduce((total, route) => total + route.requests, 0), asked?.p50 ?? null);
  const rates = seen.slice(1).map((point, place) => Math.max(0, point.requests - seen[place].requests) / (point.now - seen[place].now));
  const times = seen.filter(point => point.time !== null).map(point => point.time * 1000);
  $('rate-now').textContent = rates.length ? plain.format(rates.at(-1)) : '';
  $('time-now').textContent = duration(asked?.p50 ?? null, state.resolution);
  $('rate').replaceChildren(spark(rates, 'Requests each second since this page was opened'));
  $('time').replaceChildren(spark(times, 'Median time of predictions since this page was opened, in milliseconds'));
}

function remember(now, requests, time) {
  if (seen.length && now <= seen.at(-1).now) return;
  seen.push({ now, requests, time });
  if (seen.length > MOST_POINTS) seen.shift();
}

function spark(values, label) {
  if (values.length < 2) return el('p', { class: 'soft small' }, 'Drawn while this page is open.');
  const most = Math.max(...values) || 1;
  const points = values.map((value, place) => `${(100 * place / (values.length - 1)).toFixed(2)},${(38 - 36 * value / most).toFixed(2)}`);
  const said = `${label}: ${plain.format(values.at(-1))} now, ${plain.format(Math.max(...values))} at most`;
  return svg('svg', { class: 'spark', viewBox: '0 0 100 40', preserveAspectRatio: 'none', role: 'img', 'aria-label': said },
    svg('path', { class: 'under', d: `M0,40 L${points.join(' L')} L100,40 Z` }),
    svg('path', { d: `M${points.join(' L')}` }));
}

function logs(model) {
  const written = model.logs.flatMap(log => [
    el('td', { title: `of ${count(log.room)}` }, count(log.waiting)),
    el('td', { class: log.lost ? 'bad' : 'soft' }, count(log.lost))
  ]);
  const name = `${model.name} ${model.version}`;
  return el('tr', {}, el('th', { scope: 'row', title: name }, name),
    ...['requests', 'rows', 'labels', 'unseen', 'rules_failed'].map(key => el('td', {}, count(model[key]))),
    ...(written.length ? written : [el('td', { colspan: 4, class: 'text soft' }, 'Nothing is logged.')]));
}

function drift(model) {
  const said = model.drift;
  const title = el('h3', {}, model.name);
  if (said.missing) {
    return el('article', { class: 'card' }, title, el('p', {}, said.missing), el('p', {}, el('code', {}, said.command)));
  }
  const rows = said.columns.map(column => el('tr', {},
    el('th', { scope: 'row', title: column.column }, column.column),
    el('td', { class: 'text' }, column.verdict), el('td', {}, column.effect),
    el('td', {}, column.importance === null ? '–' : plain.format(column.importance)),
    el('td', { class: 'text' }, column.window)));
  const heads = ['Column', 'Verdict', 'Effect', 'Importance', 'Window'];
  const table = el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Drifted columns of ${model.name}` },
    el('table', {}, el('thead', {}, el('tr', {}, ...heads.map((name, place) => el('th', { scope: 'col', class: place === 1 || place === 4 ? 'text' : '' }, name)))), el('tbody', {}, ...rows)));
  return el('article', { class: 'card' }, title, el('p', { class: said.alarms ? 'bad' : '' }, said.headline),
    el('p', { class: 'soft small' }, `${count(said.rows)} rows in ${count(said.windows)} window${said.windows === 1 ? '' : 's'}, reported `,
      when(Date.parse(said.made) / 1000), said.is_of_this_version ? '' : ', of another version of the model'),
    rows.length ? table : null);
}

// Trying

let forms = [];

function offer(models) {
  forms = models;
  $('model').replaceChildren(...models.map((form, place) => el('option', { value: place }, `${form.name} ${form.version}`)));
  $('which').hidden = models.length < 2;
  choose(0);
}

const chosen = () => forms[Number($('model').value)];

function choose(place) {
  $('model').value = String(place);
  const form = forms[place];
  $('fields').replaceChildren(...form.fields.map(field));
  $('explained').checked = Boolean(form.explain);
  $('explained').disabled = !form.explain;
  offerClasses(form);
  sayLogged();
}

// Of two classes the positive one says all of the other; of more a person may ask for each.
function offerClasses(form) {
  const options = form.classes.map((name, place) => el('option', { value: place }, String(name)));
  $('class').replaceChildren(el('option', { value: '' }, 'the class that is predicted'), ...options);
  $('class').hidden = !form.explain || form.classes.length < 3;
}

function explanationOf(form, row) {
  const place = $('class').value;
  return ask(form.explain, { instances: [row], ...(place === '' ? {} : { class: form.classes[Number(place)] }) });
}

function sayLogged() {
  $('logged').textContent = $('explained').checked
    ? 'An explanation is not logged, and takes up to some seconds.'
    : chosen().explain
      ? 'The prediction is logged like any other.'
      : 'The package has no background for explanations. The prediction is logged like any other.';
}

function field(given, place) {
  const id = `input-${place}`;
  const hint = hintOf(given);
  const attributes = { id, 'aria-describedby': hint ? `${id}-hint` : null };
  return el('div', { class: 'field' }, el('label', { for: id }, given.name), control(given, attributes),
    hint ? el('span', { class: 'hint', id: `${id}-hint` }, hint) : null);
}

function control(given, attributes) {
  const choices = given.kind === 'boolean' ? [true, false] : given.allowed.enum ?? given.categories;
  if (choices) {
    const values = choices.filter(choice => choice !== null);
    const options = values.map(value => el('option', { value: JSON.stringify(value), selected: value === given.typical }, String(value)));
    if (given.nullable) options.push(el('option', { value: 'null', selected: given.typical === null }, '(missing)'));
    return el('select', attributes, ...options);
  }
  const types = { number: 'number', integer: 'number' };
  return el('input', { ...attributes, type: types[given.kind] ?? 'text', step: given.kind === 'integer' ? 1 : 'any',
    value: given.typical ?? '', required: !given.nullable && given.kind !== 'text' });
}

function hintOf(given) {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = given.allowed;
  const parts = [];
  if (given.kind === 'datetime') parts.push('such as 2013-04-01T12:30:00Z');
  const limits = [[minimum, 'at least'], [exclusiveMinimum, 'above'], [maximum, 'at most'], [exclusiveMaximum, 'below']];
  parts.push(...limits.filter(([value]) => value !== undefined).map(([value, words]) => `${words} ${plain.format(value)}`));
  const [low, high] = given.seen;
  if (low !== null && high !== null && given.kind !== 'datetime') parts.push(`in training ${plain.format(low)} to ${plain.format(high)}`);
  if (given.nullable && given.kind !== 'boolean' && !given.categories) parts.push('empty where missing');
  return parts.join('; ');
}

/** The value of a field as the server takes it. */
function valueOf(given, input) {
  if (input.tagName === 'SELECT') return JSON.parse(input.value);
  if (given.kind === 'text') return input.value === '' && given.nullable ? null : input.value;
  if (input.value === '') return null;
  return given.kind === 'datetime' ? input.value : Number(input.value);
}

async function predict(event) {
  event.preventDefault();
  const form = chosen();
  const inputs = form.fields.map((_, place) => $(`input-${place}`));
  const row = Object.fromEntries(form.fields.map((given, place) => [given.name, valueOf(given, inputs[place])]));
  const button = event.submitter ?? $('try').querySelector('button');
  inputs.forEach(input => input.removeAttribute('aria-invalid'));
  button.disabled = true;
  try {
    const explained = $('explained').checked;
    const answer = explained ? await explanationOf(form, row) : await ask(form.predict, { inputs: tensors(form, row) });
    $('answer').replaceChildren(...(explained ? told(form, answer.predictions[0], answer.explanations[0]) : predicted(form, answer)));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    $('answer').replaceChildren(el('p', { class: 'bad' }, error.message));
    const place = form.fields.findIndex(given => given.name === error.data.column);
    if (place >= 0) {
      inputs[place].setAttribute('aria-invalid', 'true');
      inputs[place].focus();
    }
  } finally {
    button.disabled = false;
  }
}

function tensors(form, row) {
  const types = { number: 'FP64', integer: 'INT64', boolean: 'BOOL', text: 'BYTES', datetime: 'BYTES' };
  return form.fields.map(given => ({ name: given.name, shape: [1], datatype: types[given.kind], data: [row[given.name]] }));
}

function heading(form, label) {
  return [el('p', { class: 'soft' }, form.target), el('p', { class: 'figure' }, typeof label === 'number' ? plain.format(label) : String(label))];
}

function predicted(form, answer) {
  const outputs = Object.fromEntries(answer.outputs.map(output => [output.name, output]));
  const parts = heading(form, outputs.predict.data[0]);
  if (!outputs.predict_proba) return parts;
  const chances = outputs.predict_proba.data;
  const texts = aligned(chances, false);
  const rows = form.classes.map((name, place) => [String(name), chances[place], texts[place]]);
  return [...parts, bars(rows, 'Probabilities', ['Class', 'Probability'], null)];
}

function told(form, label, said) {
  const order = Object.entries(said.contributions).sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  const inputs = form.fields.map((given, place) => [given.name, $(`input-${place}`)]);
  const given = Object.fromEntries(inputs.map(([name, input]) => [name, input.tagName === 'SELECT' ? input.selectedOptions[0].text : input.value]));
  const texts = aligned(order.map(([, value]) => value), true);
  const rows = order.map(([name, value], place) => [`${name} = ${given[name] === '' ? '(missing)' : given[name]}`, value, texts[place]]);
  const how = said.method === 'exact' ? 'Exact' : 'Sampled, with standard errors drawn';
  return [
    ...heading(form, label),
    el('p', {}, `${plain.format(said.value)} is the ${said.class === undefined ? 'answer' : said.unit}; of rows of the training data it is ${plain.format(said.base)} on average. What each input adds:`),
    bars(rows, 'Contributions', ['Input', 'Adds'], order.map(([name]) => said.standard_errors?.[name] ?? 0)),
    el('p', { class: 'soft small' }, `${how}; ${count(said.background_rows)} rows as background, ${count(said.evaluations)} answers of the model.`)
  ];
}

/** A table with a bar in each row, to the right for what adds and to the left for what takes away. */
function bars(rows, caption, heads, errors) {
  const widths = rows.map(([, value], place) => Math.abs(value) + (errors?.[place] ?? 0));
  const most = Math.max(...widths) || 1;
  const least = rows.some(([, value]) => value < 0) || errors?.some(error => error > 0) ? -most : 0;
  const at = value => 100 * (value - least) / (most - least);
  const sampled = errors?.some(error => error > 0);
  const spreads = sampled ? aligned(errors, false, rows.map(([, value]) => value)) : [];
  const body = rows.map(([name, value, text], place) => {
    const error = errors?.[place] ?? 0;
    const drawn = svg('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      svg('rect', { class: value < 0 ? 'bar less' : 'bar', x: at(Math.min(0, value)), width: Math.max(0.4, at(Math.abs(value)) - at(0)), height: 10 }),
      svg('line', { class: 'axis', x1: at(0), x2: at(0), y1: 0, y2: 10, 'vector-effect': 'non-scaling-stroke' }),
      error ? svg('line', { class: 'error', x1: at(value - error), x2: at(value + error), y1: 5, y2: 5, 'vector-effect': 'non-scaling-stroke' }) : null);
    return el('tr', {}, el('th', { scope: 'row', title: name }, name), el('td', { class: 'bar-cell' }, drawn),
      el('td', {}, text), sampled ? el('td', { class: 'soft' }, `± ${spreads[place]}`) : null);
  });
  return el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    el('table', {}, el('caption', { class: 'sr' }, caption),
      el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, heads[0]), el('th', { scope: 'col', class: 'bar-cell' }, el('span', { class: 'sr' }, 'Drawn')), el('th', { scope: 'col' }, heads[1]), sampled ? el('th', { scope: 'col' }, 'Error') : null)),
      el('tbody', {}, ...body)));
}

// Access

let timer = null;

async function open() {
  let found;
  try {
    found = await ask('ui/form');
  } catch (error) {
    return close(error.status === 401 || error.status === 403 ? 'The token is not taken. Type it again.' : error.message);
  }
  $('all').hidden = false;
  $('forget').hidden = false;
  $('typed').hidden = true;
  $('access-said').textContent = 'Read with your token, each five seconds.';
  offer(found.models);
  await refresh();
  timer = setInterval(() => document.hidden || refresh(), EVERY);
}

function close(words) {
  clearInterval(timer);
  sessionStorage.removeItem(KEPT);
  seen.length = 0;
  $('all').hidden = true;
  $('forget').hidden = true;
  $('typed').hidden = false;
  $('access-said').textContent = words;
  $('answer').replaceChildren(el('p', { class: 'soft' }, 'The answer will stand here.'));
  $('token').focus();
}

$('access').addEventListener('submit', event => {
  event.preventDefault();
  clearInterval(timer);
  sessionStorage.setItem(KEPT, $('token').value.trim());
  $('token').value = '';
  open();
});
$('forget').addEventListener('click', () => close('The token is forgotten.'));
$('model').addEventListener('change', () => choose(Number($('model').value)));
$('explained').addEventListener('change', sayLogged);
$('try').addEventListener('submit', predict);
if (sessionStorage.getItem(KEPT)) open();
