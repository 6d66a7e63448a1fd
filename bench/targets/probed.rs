// See probed.h: one call of five is left by a panic that passes through it.
use std::io::{BufRead, Read, Write};
use std::time::{Duration, Instant};

fn spin(ns: u64) {
    let end = Instant::now() + Duration::from_nanos(ns);
    while Instant::now() < end {}
}

fn work_of(call: u64) -> u64 {
    match call * 7 % 25 {
        0..=19 => 200_000,
        20..=23 => 2_000_000,
        _ => 20_000_000,
    }
}

#[inline(never)]
fn middle(call: u64) {
    if call / 25 % 5 == 4 {
        panic!("{}", call);
    }
}

#[inline(never)]
fn timed_step(call: u64) -> u64 {
    let began = Instant::now();
    spin(work_of(call) / 2);
    middle(call);
    spin(work_of(call) / 2);
    began.elapsed().as_nanos() as u64
}

fn main() {
    let n: u64 = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(0);
    let mut kept = Vec::new();
    let mut line = String::new();
    std::panic::set_hook(Box::new(|_| {}));
    println!("ready");
    if n > 0 {
        std::io::stdin().lock().read_line(&mut line).unwrap();
    }
    for call in 0.. {
        if n > 0 && call == n {
            break;
        }
        let began = Instant::now();
        if let Ok(inside) = std::panic::catch_unwind(|| timed_step(call)) {
            let outside = began.elapsed().as_nanos() as u64;
            if n > 0 {
                kept.push((inside, outside));
            }
        }
        if n == 0 {
            std::thread::sleep(Duration::from_millis(1));
            if call % 25 == 0 {
                println!("calls {}", call);
            }
        }
    }
    for (inside, outside) in kept {
        println!("took {} {}", inside, outside);
    }
    println!("done");
    std::io::stdout().flush().unwrap();
    std::io::stdin().read_to_string(&mut line).unwrap();
}
