// Garbage between two quiet times, and what perf_hooks says of every pause, "KIND MS":
// collects.js QUIET_S BUSY_S LOG
const { PerformanceObserver } = require('perf_hooks');
const fs = require('fs');
const [quiet, busy] = process.argv.slice(2, 4).map((s) => 1000 * Number(s));
const log = fs.openSync(process.argv[4], 'w');
new PerformanceObserver((list) => {
	for (const e of list.getEntries())
		fs.writeSync(log, `${e.detail.kind} ${e.duration}\n`);
}).observe({ entryTypes: ['gc'] });
let kept = [], until;
function churn() {
	for (let i = 0; i < 20000; i++) kept.push({ a: i, b: [i] });
	if (kept.length > 400000) kept = kept.slice(300000);
	if (Date.now() < until) return setTimeout(churn, 3);
	console.log('done');
	setTimeout(() => {}, 20000);
}
setTimeout(() => { until = Date.now() + busy; churn(); }, quiet);
console.log('ready');
