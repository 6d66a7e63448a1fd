// A timer every 10 ms, and every 600 ms a callback that computes for 200 ms and says so.
function now() {
	return Number(process.hrtime.bigint()) / 1e9;
}
console.log("ready");
setInterval(() => {}, 10);
setInterval(() => {
	const began = now();
	while (now() - began < 0.2);
	console.log(now().toFixed(6) + " " + (now() - began).toFixed(6));
}, 600);
