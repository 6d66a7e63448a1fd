# Garbage between two quiet times, then how many collections and how much CPU time they took:
# collects.rb QUIET_S BUSY_S LOG ("COUNT MS")
$stdout.sync = true
puts "ready"
sleep ARGV[0].to_f
count = GC.count
time = GC.stat(:time)
kept = []
ends = Process.clock_gettime(Process::CLOCK_MONOTONIC) + ARGV[1].to_f
while Process.clock_gettime(Process::CLOCK_MONOTONIC) < ends
  2000.times { kept << [Object.new, "x" * 20] }
  kept = kept.last(200_000) if kept.size > 400_000
  sleep 0.002
end
File.write(ARGV[2], "#{GC.count - count} #{GC.stat(:time) - time}\n")
puts "done"
sleep 20
