// Opens HTML pages in headless Chromium and acts as a reader would; TAP on stdout.
//   node html-browser.js BROWSER FOLDER    (FOLDER holds demo.html, diff.html, hostile.html)
// The page shows what it has drawn as window.ptop.
'use strict';
const { send, look, open, key, click, is, becomes, type, run } = require('./browser.js');

const matched = () => look(`document.querySelector('#matched').textContent`);
const details = () => look(`document.querySelector('#details').textContent`);
const total = () => look(`ptop.total() / 1e9`);
const seen = () => look(`ptop.rows().reduce((n, r) => n + r.length, 0)`);
const zoomed = () => look(`ptop.nodes()[ptop.state.zoom].f`);
const onButton = id => click(`document.querySelector('#${id}')`);
// A dot of the canvas: [red, green, blue].
const dot = (x, y) => look(`(function () {
	var copy = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
	copy.drawImage(document.querySelector('#flame'), -${x} * devicePixelRatio,
		-${y} * devicePixelRatio);
	return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3); })()`);
// A click in the middle of the first box with that name.
async function clickBox(name) {
	const at = await look(`(function () {
		var names = JSON.parse(document.querySelector('#data').textContent).functions;
		var rows = ptop.rows(), canvas = document.querySelector('#flame')
			.getBoundingClientRect();
		for (var i = 0; i < rows.length; i++)
			for (var b of rows[i])
				if (b.t.f >= 0 && names[b.t.f][0] === '${name}')
					return { x: canvas.x + b.x + b.w / 2, y: canvas.y + i * 18 + 9 };
	})()`);
	const p = { ...at, button: 'left', clickCount: 1 };
	await send('Input.dispatchMouseEvent', { type: 'mousePressed', ...p });
	await send('Input.dispatchMouseEvent', { type: 'mouseReleased', ...p });
}

async function searches() {
	await open('demo.html');
	await becomes(() => total(), 240, 'two cores for two minutes');
	await key('/', 0, '/');
	await type('raw_dec');
	await becomes(() => matched(), 'Matched: 30.00%', 'typing searches');
	await key('Enter', 0, '\r');
	await becomes(async () => (await details()).startsWith('raw_decode (json)'),
		true, 'Enter goes to the hit');
	await key('Escape');
	await key('0', 0, '0');
	await becomes(() => matched(), '', '0 resets');
	await key('f', 2);
	await type('^parse_order$');
	await becomes(() => matched(), 'Matched: 49.00%', 'Ctrl-F; every place it is called from');
	await type('(');
	await becomes(() => matched(), 'not a regular expression', 'a broken expression is said');
}

async function zooms() {
	await open('demo.html');
	const all = await seen();
	await clickBox('execute');
	await becomes(async () => await zoomed() >= 0 && await seen() < all,
		true, 'a click zooms in');
	await becomes(async () => /^execute \(app\).*22\.00% of all.*100\.00% of the zoom/.test(await details()), true,
		'of all and of the zoom');
	await onButton('reset');
	await becomes(async () => [await zoomed(), await seen()], [-1, all], 'reset shows all again');
	await key('ArrowDown');
	await key('ArrowDown');
	await becomes(async () => /^(handle_request|worker_loop|poll_kafka) /.test(await details()), true,
		'arrows walk');
	await key('Enter', 0, '\r');
	await becomes(async () => await zoomed() >= 0, true, 'Enter zooms');
	await key('Escape');
	await key('Escape');
	await key('Escape');
	await becomes(() => zoomed(), -1, 'Escape goes back');
}

async function shapes() {
	await open('demo.html');
	const choose = n => look(`(function (s) { s.value = ${n};
		s.dispatchEvent(new Event('change')); })(document.querySelector('#thread'))`);
	await becomes(async () => await look(`document.querySelector('#thread').options[1].textContent`),
		'MainThread (4242)', 'threads by name');
	await choose(0);
	await becomes(() => total(), 120, 'one thread alone');
	await choose(-1);
	await becomes(() => total(), 240, 'all threads');
	await key('i', 0, 'i');
	await becomes(async () => await look(`ptop.nodes().filter(t => t.up && !t.up.up)
		.reduce((n, t) => n + t.total, 0) / 1e9`), 240, 'inverted: leaves first');
	await key('i', 0, 'i');
	const before = await seen();
	await key('x', 0, 'x');
	await becomes(async () => [await total(), await seen() < before],
		[240, true], 'x: the program alone');
}

async function themes() {
	await open('demo.html');
	const paper = () => look('getComputedStyle(document.body).backgroundColor');
	const light = await paper(), box = await dot(5, 9);
	await key('d', 0, 'd');
	await becomes(async () => [await paper() === light, (await dot(5, 9)).join() === box.join()],
		[false, false], 'd: dark paper and dark boxes');
	await key('d', 0, 'd');
	await becomes(async () => [await paper(), await dot(5, 9)], [light, box], 'and back');
	await send('Emulation.setEmulatedMedia',
		{ features: [{ name: 'prefers-color-scheme', value: 'dark' }] });
	await open('demo.html');
	await becomes(async () => await paper() === light, false, 'dark where the system is');
	await send('Emulation.setEmulatedMedia', { features: [] });
}

// main;stays 60 -> 30, main;gone 40 -> 0, main;new 0 -> 70
async function differences() {
	await open('diff.html');
	await clickBox('gone');
	await becomes(async () => (await details()).endsWith('gone: was 40.00%'),
		true, 'what vanished is there');
	await onButton('reset');
	await clickBox('new');
	await becomes(async () => (await details()).endsWith('; +70.00 points'), true, 'what came');
	await onButton('reset');
	await clickBox('stays');
	await becomes(async () => (await details()).endsWith('; -30.00 points'), true, 'what shrank');
}

async function strangers() {
	await open('hostile.html');
	await becomes(async () => await look(`document.querySelectorAll('img, b, evil').length`), 0,
		'hostile names: no markup of theirs');
	await becomes(async () => await look(`ptop.nodes().length`),
		4, 'hostile names: the graph is whole');
	await becomes(async () => await look(`document.title.length > 0 && window.evil === undefined`), true,
		'hostile names: nothing of theirs runs');
}

run([searches, zooms, shapes, themes, differences, strangers], /^file:.*\.html$/);
