// node: a function hot enough to be compiled, called by another one.
'use strict';

function jsInner(n) {
	let x = 1;
	for (let i = 0; i < n; i++)
		x = Math.imul(x, 69069) + i | 0;
	return x;
}

function jsOuter(n) {
	let sum = 0;
	for (let i = 0; i < 100; i++)
		sum = sum + jsInner(n) | 0;
	return sum;
}

const end = Date.now() + 100 * 1000;
let sum = 0;
for (let i = 0; i < 50; i++)
	sum += jsOuter(1000);
process.stdout.write(`ready ${process.pid}\n`);
while (Date.now() < end)
	sum += jsOuter(20000);
process.exitCode = sum === 1 ? 1 : 0;
