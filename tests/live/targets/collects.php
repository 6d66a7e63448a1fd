<?php
// Cycles between two quiet times, collected on request; a request is timed:
// collects.php QUIET_S BUSY_S LOG ("COUNT NS MAX_NS RUNS")
class Node { public $me; public $pad; }
echo "ready\n";
usleep((int)(1e6 * $argv[1]));
$end = microtime(true) + (float)$argv[2];
$n = $ns = $max = 0;
while (microtime(true) < $end) {
	for ($i = 0; $i < 3000; $i++) {
		$x = new Node;
		$x->me = $x;
		$x->pad = [$i, $i];
	}
	$began = hrtime(true);
	gc_collect_cycles();
	$took = hrtime(true) - $began;
	$n++;
	$ns += $took;
	$max = max($max, $took);
	usleep(5000);
}
file_put_contents($argv[3], "$n $ns $max " . gc_status()['runs'] . "\n");
echo "done\n";
sleep(20);
