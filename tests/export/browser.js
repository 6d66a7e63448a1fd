// Headless Chromium for tests of what a reader does with a file; TAP on stdout.
// The program that requires it is called with BROWSER FOLDER. DevTools messages are JSON, each
// ended by a NUL, on file descriptors 3 (to) and 4 (from the browser), so no port is opened and
// no package needed.
'use strict';
const { spawn } = require('child_process');
const [browser, folder] = process.argv.slice(2);

const child = spawn(browser, ['--headless=new', '--no-sandbox', '--disable-gpu',
	'--no-first-run', '--disable-background-networking', '--disable-component-update',
	'--window-size=1300,900', '--remote-debugging-pipe', `--user-data-dir=${folder}/profile`,
	'about:blank'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
const waiting = new Map(), listeners = [];
let serial = 0, unread = '', session;

child.on('error', () => skip('the browser does not start'));
child.on('exit', () => { if (waiting.size) skip('the browser ended early'); });
child.stdio[3].on('error', () => {});
child.stdio[4].on('data', data => {
	const parts = (unread + data).split('\0');
	unread = parts.pop();
	for (const part of parts) {
		const message = JSON.parse(part);
		if (message.id) {
			waiting.get(message.id)(message);
			waiting.delete(message.id);
		} else {
			listeners.forEach(l => l(message));
		}
	}
});

function skip(why) {
	if (count === 0)
		console.log(`1..0 # SKIP ${why}`);
	process.exit(count === 0 ? 0 : 1);
}

function send(method, params) {
	const message = { id: ++serial, method, params: params || {} };
	if (session)
		message.sessionId = session;
	child.stdio[3].write(JSON.stringify(message) + '\0');
	return new Promise((done, fail) => waiting.set(message.id, answer =>
		answer.error ? fail(new Error(answer.error.message)) : done(answer.result)));
}

function event(name) {
	return new Promise(done => {
		const l = message => {
			if (message.method !== name)
				return;
			listeners.splice(listeners.indexOf(l), 1);
			done(message.params);
		};
		listeners.push(l);
	});
}

async function look(expression) {
	const r = await send('Runtime.evaluate', { expression, returnByValue: true,
		awaitPromise: true });
	if (r.exceptionDetails)
		throw new Error(r.exceptionDetails.exception.description);
	return r.result.value;
}

async function open(file) {
	const loaded = event('Page.loadEventFired');
	await send('Page.navigate', { url: `file://${folder}/${file}` });
	await loaded;
}

async function key(name, modifiers, text) {
	const codes = { Enter: 13, Escape: 27, Tab: 9, ArrowLeft: 37, ArrowUp: 38,
		ArrowRight: 39, ArrowDown: 40 };
	const p = { key: name, modifiers: modifiers || 0, text,
		windowsVirtualKeyCode: codes[name] || name.toUpperCase().charCodeAt(0) };
	await send('Input.dispatchKeyEvent', { type: text ? 'keyDown' : 'rawKeyDown', ...p });
	await send('Input.dispatchKeyEvent', { type: 'keyUp', ...p });
}

async function click(selector) {
	const at = await look(`(function () { var b = ${selector}.getBoundingClientRect();
		return { x: b.x + b.width / 2, y: b.y + b.height / 2 }; })()`);
	const p = { ...at, button: 'left', clickCount: 1 };
	await send('Input.dispatchMouseEvent', { type: 'mousePressed', ...p });
	await send('Input.dispatchMouseEvent', { type: 'mouseReleased', ...p });
}

let count = 0, failed = 0;
function is(got, want, what) {
	const good = JSON.stringify(got) === JSON.stringify(want);
	console.log(`${good ? 'ok' : 'not ok'} ${++count} - ${what}`);
	if (!good) {
		failed++;
		console.log(`# got ${JSON.stringify(got)}, wanted ${JSON.stringify(want)}`);
	}
}

// What a page does about an event may come after the event: looks again until it is so, for ten
// seconds at most. GET is a function.
async function becomes(get, want, what) {
	const end = Date.now() + 10000;
	let got = await get();
	while (JSON.stringify(got) !== JSON.stringify(want) && Date.now() < end) {
		await new Promise(done => setTimeout(done, 20));
		got = await get();
	}
	is(got, want, what);
}

// Types into the field that has the focus, once there is one.
async function type(text) {
	const end = Date.now() + 10000;
	while (!await look(`document.activeElement.matches('input')`) && Date.now() < end)
		await new Promise(done => setTimeout(done, 20));
	await send('Input.insertText', { text });
}

// Runs the tests; in the end there were no errors, and no request but of files that match.
async function run(tests, file) {
	const { targetInfos } = await send('Target.getTargets');
	const page = targetInfos.find(t => t.type === 'page');
	const problems = [], requests = [];
	session = (await send('Target.attachToTarget',
		{ targetId: page.targetId, flatten: true })).sessionId;
	listeners.push(m => {
		if (m.method === 'Runtime.exceptionThrown')
			problems.push(m.params.exceptionDetails.exception.description);
		if (m.method === 'Log.entryAdded' || m.method === 'Runtime.consoleAPICalled')
			problems.push(JSON.stringify(m.params));
		if (m.method === 'Network.requestWillBeSent')
			requests.push(m.params.request.url);
	});
	for (const domain of ['Page', 'Runtime', 'Log', 'Network'])
		await send(`${domain}.enable`);
	for (const test of tests)
		await test();
	is(problems, [], 'no errors and no words on the console');
	is(requests.filter(u => !file.test(u)), [], 'no request but the file');
	console.log(`1..${count}`);
	child.on('exit', () => process.exit(failed ? 1 : 0));
	child.kill();
}

module.exports = { send, look, open, key, click, is, becomes, type,
	run: (tests, file) => run(tests, file).catch(e => {
		console.log(`Bail out! ${e.message}`);
		child.kill();
		process.exitCode = 1;
	}) };
