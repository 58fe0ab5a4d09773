import java.util.Map;

/** What the environment asks of the program. */
record Settings(double leakMbPerS, int maxMb, long logEveryMs, long limitBytes) {

    static Settings read(Map<String, String> environment) {
        return new Settings(
                number(environment, "LEAK_MB_PER_S", 10, 0.1, 1000),
                (int) number(environment, "MAX_MB", 0, 0, 1_000_000),
                (long) number(environment, "LOG_EVERY_MS", 100, 10, 60_000),
                (long) number(environment, "MEMORY_LIMIT_BYTES", 0, 0, 1e15));
    }

    private static double number(Map<String, String> environment, String name, double otherwise, double least,
            double most) {
        String text = environment.getOrDefault(name, "");
        if (text.isEmpty()) {
            return otherwise;
        }
        try {
            double value = Double.parseDouble(text);
            if (value >= least && value <= most) {
                return value;
            }
        } catch (NumberFormatException error) {
            // told below, as a number out of bounds is
        }
        throw new IllegalArgumentException(
                name + "=" + text + " : il faut un nombre entre " + least + " et " + most
                        + ". Corrigez la variable dans le manifeste.");
    }
}
