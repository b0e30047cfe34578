import { LabIcon } from '@jupyterlab/ui-components';

/** A notebook cell whose edge bears a mark, with a tick: run and recorded. */
export const runsIcon = new LabIcon({
  name: 'cellops:runs',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
    <g class="jp-icon3 jp-icon-selectable" fill="#616161">
      <path d="M3 4h2.4v16H3z"/>
      <path d="M8 4h13v16H8zm2 2v12h9V6z" fill-rule="evenodd"/>
      <path d="m11.2 12.2 1.3-1.3 1.4 1.4 2.9-3 1.3 1.3-4.2 4.3z"/>
    </g>
  </svg>`
});
