"""python3 big-cpp.py N: a C++ file of N unlike functions, so that cc1plus works for long."""
import sys

print("#include <algorithm>\n#include <map>\n#include <string>\n#include <unordered_map>\n"
      "#include <vector>\ntemplate <int N> struct Tag { static int value(int x) "
      "{ return x % (N + 2) ? x * N : x + N; } };")
for i in range(int(sys.argv[1])):
    print(f"""
struct S{i} {{ int a; double b[{i % 9 + 1}]; std::string name; bool operator<(const S{i} &o) const
{{ return a < o.a; }} }};
int f{i}(std::vector<S{i}> &v, std::map<std::string, S{i}> &m, int n)
{{
	int sum = {i};
	for (auto &s : v)
		for (int j = 0; j < n; j++)
			sum += s.a * j + static_cast<int>(s.b[j % {i % 9 + 1}]) + Tag<{i}>::value(j);
	std::sort(v.begin(), v.end(), [n](const S{i} &x, const S{i} &y) {{ return x.a % n < y.a; }});
	for (const auto &kv : m)
		sum ^= kv.second.a + static_cast<int>(kv.first.size());
	std::unordered_map<int, std::string> h;
	switch (n % {i % 13 + 3}) {{
	case 0: h[sum] = "zero"; break;
	case 1: m[std::to_string(sum)] = v.empty() ? S{i}{{}} : v.back(); break;
	default: v.emplace_back(); v.back().name = std::to_string(n) + "{i}"; break;
	}}
	return sum + static_cast<int>(h.size());
}}""")
