// mt8 [FILE]: eight C++ threads that sort, hash and build maps for ever. The main thread
// only adds up what they did, into FILE.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "progress.h"

namespace
{

constexpr int n_threads = 8;

struct alignas(64) Counter {
	std::atomic<uint64_t> n{ 0 };
};
Counter done[n_threads];

class Task
{
      public:
	virtual ~Task() = default;
	virtual uint64_t run(uint64_t seed) = 0;
};

class Sort : public Task
{
      public:
	uint64_t run(uint64_t seed) override
	{
		std::vector<uint64_t> v(400);

		for (auto &x : v)
			x = seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		std::sort(v.begin(), v.end(),
			  [](uint64_t a, uint64_t b) { return a % 1000 < b % 1000; });
		return v[200];
	}
};

class Count : public Task
{
      public:
	uint64_t run(uint64_t seed) override
	{
		std::map<std::string, uint64_t> words;

		for (int i = 0; i < 60; i++)
			words["key " + std::to_string((seed >> (i % 32)) % 97)] += i;
		return words.size();
	}
};

class Hash : public Task
{
      public:
	uint64_t run(uint64_t seed) override
	{
		std::string text(1000, static_cast<char>('a' + seed % 26));
		uint64_t h = 0;

		for (int i = 0; i < 10; i++)
			h ^= std::hash<std::string>{}(text) + i;
		return h;
	}
};

__attribute__((noinline)) void worker(int me)
{
	std::vector<std::unique_ptr<Task>> tasks;
	uint64_t seed = 1 + static_cast<uint64_t>(me);

	tasks.push_back(std::make_unique<Sort>());
	tasks.push_back(std::make_unique<Count>());
	tasks.push_back(std::make_unique<Hash>());
	for (;;) {
		for (auto &task : tasks)
			seed += task->run(seed);
		done[me].n.fetch_add(1, std::memory_order_relaxed);
	}
}

} // namespace

int main(int argc, char **argv)
{
	int fd = progress_open(argc > 1 ? argv[1] : nullptr);
	std::vector<std::thread> threads;

	for (int i = 0; i < n_threads; i++)
		threads.emplace_back(worker, i);
	for (;;) {
		uint64_t sum = 0;

		usleep(20000);
		for (const auto &d : done)
			sum += d.n.load(std::memory_order_relaxed);
		progress_tell(fd, sum, "");
	}
}
