import java.util.Random;

/** Garbage between two quiet times: Collects QUIET_S BUSY_S; what it did says -Xlog:gc. */
public class Collects {
	public static void main(String[] args) throws Exception {
		long quiet = (long) (Double.parseDouble(args[0]) * 1e3);
		System.out.println("ready");
		System.out.flush();
		Thread.sleep(quiet);
		long end = System.nanoTime() + (long) (Double.parseDouble(args[1]) * 1e9);
		byte[][] kept = new byte[200][];
		Random random = new Random(7);
		for (long turn = 0; System.nanoTime() < end; turn++) {
			for (int i = 0; i < 20; i++)
				kept[random.nextInt(kept.length)] = new byte[100000 + random.nextInt(5000)];
			if (turn % 300 == 299)
				System.gc();
			Thread.sleep(2);
		}
		System.out.println("done");
		System.out.flush();
		Thread.sleep(20000);
	}
}
