import { kernels } from './kernel';
import { marks } from './plugins/marks';
import { runs } from './plugins/runs';

export default [kernels, marks, runs];
