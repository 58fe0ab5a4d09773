import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the whole container uses, as the kernel counts it against the limit.
 *
 * <p>The kubelet's own figure ("working set"): what the cgroup uses, less the file pages that the kernel can drop at
 * once. Where the program sees another cgroup than its own (its limit is not ours), or no use in it, what it can tell
 * is the memory of its own process.
 */
final class ContainerMemory {
    private record Counter(String used, String limit, String dropped) {}

    private static final Path CGROUP = Path.of("/sys/fs/cgroup");
    private static final Counter V2 = new Counter("memory.current", "memory.max", "inactive_file");
    private static final Counter V1 =
            new Counter("memory/memory.usage_in_bytes", "memory/memory.limit_in_bytes", "total_inactive_file");

    private final Counter files;

    ContainerMemory(long limitBytes) {
        files = holds(V2, limitBytes) ? V2 : holds(V1, limitBytes) ? V1 : null;
    }

    /** "cgroup" or "process". */
    String source() {
        return files == null ? "process" : "cgroup";
    }

    long usedBytes() {
        try {
            if (files == null) {
                return field(Path.of("/proc/self/status"), "RssAnon:") * 1024
                        + field(Path.of("/proc/self/status"), "RssShmem:") * 1024;
            }
            Path used = CGROUP.resolve(files.used);
            return number(used) - field(used.resolveSibling("memory.stat"), files.dropped);
        } catch (IOException error) {
            return 0;
        }
    }

    private static boolean holds(Counter files, long limitBytes) {
        try {
            return limitBytes > 0
                    && number(CGROUP.resolve(files.limit)) == limitBytes
                    && Files.exists(CGROUP.resolve(files.used));
        } catch (IOException | NumberFormatException error) {
            return false; // no such cgroup, or "max"
        }
    }

    private static long number(Path file) throws IOException {
        return Long.parseLong(Files.readString(file).strip());
    }

    private static long field(Path file, String name) throws IOException {
        for (String line : Files.readAllLines(file)) {
            if (line.startsWith(name)) {
                return Long.parseLong(line.substring(name.length()).strip().split("\\s")[0]);
            }
        }
        return 0;
    }
}
