// Nothing: the memory of a page alone.

import { offer } from './page.js';

offer({ async load(mark) { mark('ready'); } });
