const NAMESPACE = 'http://www.w3.org/2000/svg';

/** Outlines in a box of 16 by 16; each also differs in shape, so that colour says nothing alone. */
const OUTLINES = {
  finished: 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13M5 8.2l2.1 2.1L11 6.2',
  failed: 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13M5.7 5.7l4.6 4.6M10.3 5.7l-4.6 4.6',
  killed: 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13M6 6h4v4h-4z',
  running: 'M8 1.5a6.5 6.5 0 0 1 6.5 6.5',
  info: 'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13M8 7.3v3.7M8 4.9v.2',
  warning: 'M8 2L14.6 13.7H1.4ZM8 6.4v3.4M8 11.6v.2',
  error: 'M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3ZM8 4.7v4M8 11v.2'
} as const;

export type IconName = keyof typeof OUTLINES;

export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(NAMESPACE, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  svg.classList.add('cellops-icon', `cellops-icon-${name}`);
  const path = document.createElementNS(NAMESPACE, 'path');
  path.setAttribute('d', OUTLINES[name]);
  svg.append(path);
  return svg;
}
