/* C++: a template in a namespace that computes, and exceptions thrown through frames and caught. */
#include <stdexcept>
#include <string>
#include <vector>

#include "work.h"

namespace shop {
template <typename T> struct Basket {
	std::vector<T> things;
	__attribute__((noinline)) void price(const std::string &name)
	{
		things.push_back(T());
		if (things.size() > 10)
			things.clear();
		BURN(100000);
		if (name.empty())
			throw std::runtime_error("no name");
	}
};

__attribute__((noinline)) void thrower(int depth)
{
	if (depth > 0) {
		thrower(depth - 1);
		__asm__ volatile("");
		return;
	}
	throw std::runtime_error("thrown");
}

__attribute__((noinline)) void catches()
{
	for (int i = 0; i < 100; i++) {
		try {
			thrower(10);
		} catch (const std::exception &) {
			continue;
		}
	}
}
} // namespace shop

int main()
{
	shop::Basket<long> basket;

	ready();
	for (;;) {
		basket.price("x");
		try {
			basket.price("");
		} catch (const std::exception &) {
		}
		shop::catches();
	}
}
