// Rust: a generic function of a trait in a module.
mod store {
    pub trait Price {
        fn price(&self) -> u64;
    }
    pub struct Thing(pub u64);
    impl Price for Thing {
        #[inline(never)]
        fn price(&self) -> u64 {
            let mut x = self.0;
            for i in 0..300_000u64 {
                x = std::hint::black_box(x.wrapping_mul(69069).wrapping_add(i));
            }
            x
        }
    }
    #[inline(never)]
    pub fn add_up<T: Price>(things: &[T]) -> u64 {
        let mut sum = 0u64;
        for t in things {
            sum = sum.wrapping_add(std::hint::black_box(t.price()));
        }
        sum
    }
}

fn main() {
    let things = [store::Thing(1), store::Thing(2)];
    let began = std::time::Instant::now();
    println!("ready {}", std::process::id());
    while began.elapsed().as_secs() < 100 {
        std::hint::black_box(store::add_up(&things));
    }
}
