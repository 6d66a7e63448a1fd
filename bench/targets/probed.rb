# See probed.h: four fibers (two of them an Enumerator's) that yield in the middle of each call.
# probed.rb LIBRARY N
require "fiddle"

lib = Fiddle.dlopen(ARGV[0])
n = ARGV[1].to_i
def function(lib, name, *arguments)
  Fiddle::Function.new(lib[name], arguments, Fiddle::TYPE_LONG)
end
timed_call = function(lib, "timed_call", Fiddle::TYPE_LONG)
timed_made = function(lib, "timed_made")

$yielder = nil
middle = Class.new(Fiddle::Closure) do
  def call
    $yielder ? $yielder << 1 : Fiber.yield(1)
    0
  end
end.new(Fiddle::TYPE_LONG, [])
Fiddle::Pointer.new(lib["probed_middle"])[0, 8] = [middle.to_i].pack("q")

function(lib, "timed_begin", Fiddle::TYPE_LONG).call(n)
calls = -> { timed_call.call(n) while n == 0 || timed_made.call < n }
turns = []
2.times do
  fiber = Fiber.new { calls.call }
  turns << -> { $yielder = nil; fiber.resume if fiber.alive? }
end
2.times do
  mine = nil
  values = Enumerator.new { |y| mine = y; $yielder = y; calls.call }
  turns << -> { $yielder = mine; values.next }
end
until turns.empty?
  turns.reject! do |turn|
    begin
      turn.call.nil?
    rescue StopIteration
      true
    end
  end
end
function(lib, "timed_end").call
