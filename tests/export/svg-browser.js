// Opens the pictures in headless Chromium and acts as a reader would; TAP on stdout.
//   node svg-browser.js BROWSER FOLDER    (FOLDER holds sample.svg, hostile.svg, empty.svg)
'use strict';
const { send, look, open, key, click, is, becomes, type, run } = require('./browser.js');

const box = name => `[].find.call(document.querySelectorAll('#frames>g'), function (g) {
	return g.querySelector('title').textContent.split('\\n')[0] === '${name}'; })`;
const width = name => look(`+${box(name)}.querySelector('rect').getAttribute('width')`);
const shown = name => look(`getComputedStyle(${box(name)}).display !== 'none'`);
const matched = () => look(`document.querySelector('#matched').textContent`);
const details = () => look(`document.querySelector('#details').textContent`);
const focused = () => look(`(document.activeElement.querySelector('title') ||
	{ textContent: '' }).textContent.split('\\n')[0]`);
const query = () => look('location.search');

async function zooms() {
	await open('sample.svg');
	const all = await width('all'), before = await width('parse_order');
	is(all > 1000, true, 'the graph fills the window');
	await click(box('parse_order'));
	await becomes(() => width('parse_order'), all, 'a click zooms in');
	await becomes(async () => [await shown('reply'), await shown('main'), await shown('strtod')],
		[false, true, true], 'callers and callees stay, the rest goes');
	await becomes(async () => /^\?x=\d+&d=5$/.test(await query()),
		true, 'the address has the zoom');
	await click(`document.querySelector('#reset')`);
	await becomes(async () => [await width('parse_order'), await shown('reply')], [before, true],
		'Reset zoom shows all again');
	await becomes(() => query(), '', 'the address is clean again');
}

async function searches() {
	await open('sample.svg');
	await key('/', 0, '/');
	await type('sys_');
	await becomes(() => matched(), 'Matched: 14.7%', 'typing searches');
	await becomes(() => query(), '?s=sys_', 'the address has the words');
	await key('Enter');
	await becomes(() => focused(), 'sys_accept4', 'Enter goes to the first hit');
	await key('n', 0, 'n');
	await becomes(() => focused(), 'sys_recvfrom', 'n goes to the next');
	await key('N', 8, 'N');
	await becomes(() => focused(), 'sys_accept4', 'N goes back');
	await key('Escape');
	await becomes(async () => [await matched(), await query()],
		['', ''], 'Escape ends the search');
	await key('f', 2);
	await type('quick_sort');
	await becomes(() => matched(), 'Matched: 3.5%', 'Ctrl-F; nested hits count once');
	await key('Escape');
	await click(`document.querySelector('#search')`);
	await type('libc\\.so');
	await becomes(() => matched(), 'Matched: 31.6%', 'a click on Search; modules match too');
	await key('Escape');
	await key('/', 0, '/');
	await type('(app');
	await becomes(() => matched(), 'Matched: 10.0%', 'a broken expression is plain text');
	// The field that was closed loses its focus late: when the next one is open already.
	const field = `document.querySelector('input')`;
	const press = (at, name) => `${at}.dispatchEvent(new KeyboardEvent('keydown',
		{ key: '${name}', bubbles: true, cancelable: true }));`;
	is(await look(`!!${field}`), true, 'the search field stays open while it is used');
	await look(press(field, 'Escape') + press(`document.documentElement`, '/'));
	await look(`new Promise(done => setTimeout(done, 50))`);
	is(await look(`!!${field}`), true, 'search again at once: the new field stays');
}

async function keyboard() {
	await open('sample.svg');
	await key('Tab');
	await becomes(() => focused(), 'all', 'Tab enters the graph');
	await key('ArrowUp');
	await becomes(() => focused(), '_start', 'Up goes to the widest callee');
	await key('ArrowRight');
	await becomes(() => focused(), 'clone3', 'Right goes to the neighbour');
	await becomes(() => details(), 'clone3 (libc.so.6) 1.35 s, 13.50% of all, self 0.00%',
		'details follow');
	const all = await width('all');
	await key('Enter', 0, '\r');
	await becomes(() => width('clone3'), all, 'Enter zooms');
	await key('ArrowDown');
	await becomes(() => focused(), 'all', 'Down goes to the caller');
	await key('Escape');
	await becomes(async () => await width('clone3') < all / 2, true, 'Escape resets the zoom');
}

async function addresses() {
	await open('sample.svg?s=%5Emain');
	await becomes(() => matched(), 'Matched: 95.5%', '?s= searches');
	await open('sample.svg?s=sys_&x=200000&d=5');
	await becomes(async () => [await width('parse_order') > 1000, await matched()],
		[true, 'Matched: 14.7%'],
		'?x= and d= zoom, beside s=');
	await open('sample.svg?x=77&d=hello&s=(');
	await becomes(async () => await width('all') > 1000,
		true, 'nonsense in the address does no harm');
}

async function looks() {
	const background = () => look(`getComputedStyle(document.documentElement).color`);
	await open('sample.svg');
	const light = await background();
	await send('Emulation.setEmulatedMedia',
		{ features: [{ name: 'prefers-color-scheme', value: 'dark' }] });
	await becomes(async () => await background() === light, false, 'dark mode has other colours');
	await open('hostile.svg');
	await becomes(async () => await look(`document.querySelectorAll('#frames>g').length > 5`), true,
		'hostile names: the page is whole');
	await becomes(async () => await look(`document.querySelectorAll('b, evil, none').length`), 0,
		'hostile names: no markup of theirs');
	await open('empty.svg');
	await becomes(async () => await look(`document.documentElement.textContent.includes('No samples')`), true,
		'no samples: the picture says so');
	await send('Emulation.setScriptExecutionDisabled', { value: true });
	await open('sample.svg');
	await becomes(async () => await look(`[document.querySelectorAll('#frames>g').length,
		getComputedStyle(document.querySelector('#search')).display]`), [37, 'none'],
		'without scripts: the boxes, and no dead buttons');
}

run([zooms, searches, keyboard, addresses, looks], /^file:.*\.svg(\?.*)?$/);
