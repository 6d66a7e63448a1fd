// A Rust program of the usual kind (collections, closures, formatting), for ever.
use std::collections::{BTreeMap, HashMap};

fn words(n: u64) -> HashMap<String, u64> {
    let mut m = HashMap::new();
    for i in 0..n {
        *m.entry(format!("word {}", i * 7919 % 97)).or_insert(0) += i;
    }
    m
}

fn ordered(m: &HashMap<String, u64>) -> BTreeMap<u64, String> {
    m.iter().map(|(k, v)| (*v, k.clone())).collect()
}

fn sorted(n: u64) -> u64 {
    let mut v: Vec<u64> = (0..n).map(|x| x.wrapping_mul(6364136223846793005) >> 20).collect();
    v.sort_by(|a, b| (a % 1000).cmp(&(b % 1000)));
    v[0]
}

fn nested(depth: u32, n: u64) -> u64 {
    if depth == 0 {
        ordered(&words(n)).len() as u64 + sorted(n)
    } else {
        nested(depth - 1, n) + std::hint::black_box(1)
    }
}

fn main() {
    let mut sum = 0u64;
    loop {
        sum = std::hint::black_box(sum.wrapping_add(nested(12, 300)));
    }
}
