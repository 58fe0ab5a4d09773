package fr.but.demarrage;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** What the environment asks of the program, read once at its start. */
record Settings(
        String version, String pod, String bindAddr, int port, double delaySeconds, String listen, String beforeReady,
        boolean graceful) {

    /** Reads the settings, or ends the program with a sentence for whoever reads the logs. */
    static Settings readOrExit() {
        try {
            return read(System.getenv());
        } catch (IllegalArgumentException error) {
            PrintStream errors = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
            errors.println("Lire la configuration : " + error.getMessage() + ". Corrigez le manifeste.");
            System.exit(2);
            throw error; // never reached, but the compiler does not know it
        }
    }

    static Settings read(Map<String, String> environment) {
        return new Settings(
                text(environment, "VERSION", "v1"),
                text(environment, "POD_NAME", hostname()),
                text(environment, "BIND_ADDR", "0.0.0.0"),
                (int) number(environment, "PORT", 8080, 65535),
                number(environment, "DELAY_SECONDS", 60, 86400),
                choice(environment, "LISTEN", "early", "late"),
                choice(environment, "BEFORE_READY", "empty", "refuse"),
                choice(environment, "GRACEFUL", "0", "1").equals("1"));
    }

    boolean late() {
        return listen.equals("late");
    }

    boolean refuses() {
        return beforeReady.equals("refuse");
    }

    /**
     * The same as Spring Boot's own properties. Arguments win over everything: a Service called "server" would
     * otherwise give SERVER_PORT to its pods (https://kubernetes.io/docs/concepts/services-networking/service/).
     */
    String[] springArguments() {
        return new String[] {
            "--server.address=" + bindAddr,
            "--server.port=" + port,
            "--server.shutdown=" + (graceful ? "graceful" : "immediate"),
        };
    }

    private static String text(Map<String, String> environment, String name, String otherwise) {
        String value = environment.getOrDefault(name, "");
        return value.isEmpty() ? otherwise : value;
    }

    private static double number(Map<String, String> environment, String name, int otherwise, int most) {
        String text = text(environment, name, String.valueOf(otherwise));
        try {
            double value = Double.parseDouble(text);
            if (value >= 0 && value <= most) {
                return value;
            }
        } catch (NumberFormatException error) {
            // said below
        }
        throw new IllegalArgumentException(name + "=" + text + " : il faut un nombre entre 0 et " + most);
    }

    private static String choice(Map<String, String> environment, String name, String... choices) {
        String text = text(environment, name, choices[0]);
        if (!List.of(choices).contains(text)) {
            throw new IllegalArgumentException(name + "=" + text + " : il faut " + String.join(" ou ", choices));
        }
        return text;
    }

    private static String hostname() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException error) {
            return "inconnu";
        }
    }
}
