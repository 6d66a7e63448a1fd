<?php
// See probed.h: four fibers that suspend in the middle of each call. probed.php LIBRARY N
$lib = FFI::cdef('extern void (*probed_middle)(void); void timed_begin(unsigned long);
	void timed_call(unsigned long); void timed_end(void); unsigned long timed_made(void);', $argv[1]);
$n = (int)$argv[2];
$lib->probed_middle = function () { Fiber::suspend(); };
$lib->timed_begin($n);
$fibers = [];
for ($i = 0; $i < 4; $i++) {
	$fibers[$i] = new Fiber(function () use ($lib, $n) {
		while ($n == 0 || $lib->timed_made() < $n)
			$lib->timed_call($n);
	});
	$fibers[$i]->start();
}
while ($fibers)
	foreach ($fibers as $i => $f) {
		if ($f->isTerminated())
			unset($fibers[$i]);
		else
			$f->resume();
	}
$lib->timed_end();
