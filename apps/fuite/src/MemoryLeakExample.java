import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * The program of the slide "The Great Escape": it asks for one mebibyte at a time and never gives one back.
 *
 * <p>What it adds to the slide: it says what it holds, in lines of JSON. The contract is in README.md.
 */
public class MemoryLeakExample {
    private static final int CHUNK_BYTES = 1024 * 1024;
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    /** Given back when the heap is full: without it, not even that can be said. */
    private static byte[] reserve = new byte[CHUNK_BYTES / 2];

    public static void main(String[] args) throws InterruptedException {
        Settings settings;
        try {
            settings = Settings.read(System.getenv());
        } catch (IllegalArgumentException error) {
            System.err.println("Lire la configuration : " + error.getMessage());
            System.exit(2);
            return;
        }
        ContainerMemory container = new ContainerMemory(settings.limitBytes());
        log("info", "starting", "\"leak_mb_per_s\":" + settings.leakMbPerS() + "," + figures(0, container));
        try {
            leak(settings, container);
        } catch (OutOfMemoryError error) {
            reserve = null;
            log("error", "out of memory", figures(-1, container));
            throw error; // nobody catches it: the JVM prints it and ends with status 1
        }
    }

    private static void leak(Settings settings, ContainerMemory container) throws InterruptedException {
        List<byte[]> memoryList = new ArrayList<>();
        long beganNs = System.nanoTime();
        long loggedNs = beganNs;
        while (true) {
            boolean full = settings.maxMb() > 0 && memoryList.size() >= settings.maxMb();
            if (!full) {
                memoryList.add(new byte[CHUNK_BYTES]);
            }
            long nowNs = System.nanoTime();
            if (nowNs - loggedNs >= settings.logEveryMs() * 1_000_000) {
                log("info", full ? "full" : "leaking", figures(memoryList.size(), container));
                loggedNs = nowNs;
            }
            // The next one has its instant: a pause that lasts too long is made up for.
            double dueS = full ? 1e-9 * (nowNs - beganNs) + 0.05 : memoryList.size() / settings.leakMbPerS();
            long waitMs = Math.round(1e3 * dueS - 1e-6 * (System.nanoTime() - beganNs));
            if (waitMs > 0) {
                Thread.sleep(waitMs);
            }
        }
    }

    private static String figures(int heldMb, ContainerMemory container) {
        Runtime runtime = Runtime.getRuntime();
        String held = heldMb < 0 ? "" : "\"held_mb\":" + heldMb + ",";
        return held
                + "\"heap_used_bytes\":" + (runtime.totalMemory() - runtime.freeMemory())
                + ",\"heap_max_bytes\":" + runtime.maxMemory()
                + ",\"memory_bytes\":" + container.usedBytes()
                + ",\"memory_source\":\"" + container.source() + "\"";
    }

    private static void log(String level, String event, String details) {
        OUT.println("{\"time\":\"" + Instant.now() + "\",\"level\":\"" + level + "\",\"event\":\"" + event + "\","
                + details + "}");
    }
}
