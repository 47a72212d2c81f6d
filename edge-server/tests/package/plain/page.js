// A page without a bundler: the package's script as it is. What is set before the element is known holds, too.

window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));

const table = document.querySelector('bodkin-table');
table.src = '/flights.arrows';
table.view = { filters: { origin: '=JFK' } };
await import('./node_modules/bodkin/bodkin.js');
