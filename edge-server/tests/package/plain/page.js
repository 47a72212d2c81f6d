// A page without a bundler: the package's script as it is.
import './node_modules/bodkin/bodkin.js';

window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
