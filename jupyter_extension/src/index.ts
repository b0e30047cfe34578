import { kernels } from './kernel';
import { live } from './plugins/live';
import { marks } from './plugins/marks';
import { runs } from './plugins/runs';

export default [kernels, live, marks, runs];
