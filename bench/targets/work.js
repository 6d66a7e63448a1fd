// node work.js [FILE]: what a service does between requests (JSON, maps, regular expressions,
// sorting, closures about 20 deep), for ever. FILE gets its progress.
'use strict';
const fs = require('fs');

const fd = process.argv[2] ? fs.openSync(process.argv[2], 'w') : -1;
let seed = 1;

function random() {
	seed = (seed * 1103515245 + 12345) % 2147483648;
	return seed / 2147483648;
}

function record(i) {
	return { id: i, name: `user ${Math.floor(random() * 1000)}`, tags: ['a', 'b', `t${i % 7}`],
		score: random() * 100, nested: { deep: { er: i } } };
}

function walk(node, depth, visit) {
	if (depth === 0)
		return visit(node);
	return node.children.map((child) => walk(child, depth - 1, visit)).reduce((a, b) => a + b, 0);
}

function grow(depth) {
	return { value: depth,
		children: depth ? [grow(depth - 1), grow(depth - 1)] : [] };
}

const tree = grow(7);
const line = /^user (\d+)$/;

function json() {
	const text = JSON.stringify(Array.from({ length: 40 }, (_, i) => record(i)));
	return JSON.parse(text).filter((r) => r.score > 50).length;
}

function count() {
	const counts = new Map();
	for (let i = 0; i < 400; i++) {
		const match = line.exec(`user ${Math.floor(random() * 50)}`);
		counts.set(match[1], (counts.get(match[1]) || 0) + 1);
	}
	return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).length;
}

function leaves() {
	return walk(tree, 7, (node) => {
		let x = node.value;
		for (let i = 0; i < 200; i++)
			x = (x * 31 + i) % 65521;
		return x;
	});
}

const layers = [json, count, leaves].map((job) => {
	let f = job;
	for (let i = 0; i < 10; i++) {
		const inner = f;
		f = (n) => inner(n + i) + 1;
	}
	return f;
});

let work = 0;
let sum = 0;

function tell() {
	const used = process.cpuUsage();
	const ns = (used.user + used.system) * 1000;
	if (fd !== -1)
		fs.writeSync(fd, `${String(ns).padStart(20, '0')} ${String(work).padStart(20, '0')} \n`, 0);
}

function round() {
	const end = Date.now() + 20;
	do {
		for (const f of layers)
			sum = (sum + f(work)) % 1000003;
		work++;
	} while (Date.now() < end);
	tell();
	setImmediate(round);
}

round();
