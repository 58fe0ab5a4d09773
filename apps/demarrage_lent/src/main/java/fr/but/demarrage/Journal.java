package fr.but.demarrage;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;

/** Writes one line of JSON for each event on standard output. It works before Spring does, hence without its help. */
class Journal {

    private final OutputStream out = new FileOutputStream(FileDescriptor.out);
    private final Settings settings;

    Journal(Settings settings) {
        this.settings = settings;
    }

    /** Writes an event; details are names and values in turn. */
    void write(String event, Object... details) {
        StringBuilder line = new StringBuilder("{\"event\":").append(json(event));
        line.append(",\"at\":").append(BigDecimal.valueOf(System.currentTimeMillis(), 3));
        for (int index = 0; index < details.length; index += 2) {
            line.append(',').append(json(details[index])).append(':').append(json(details[index + 1]));
        }
        line.append(",\"version\":").append(json(settings.version()));
        line.append(",\"pod\":").append(json(settings.pod())).append("}\n");
        try {
            out.write(line.toString().getBytes(StandardCharsets.UTF_8)); // one write: lines never mix
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static String json(Object value) {
        if (!(value instanceof String text)) {
            return String.valueOf(value); // numbers and booleans
        }
        StringBuilder quoted = new StringBuilder("\"");
        text.chars().forEach(letter -> {
            if (letter == '"' || letter == '\\') {
                quoted.append('\\').append((char) letter);
            } else if (letter < ' ') {
                quoted.append(String.format("\\u%04x", letter));
            } else {
                quoted.append((char) letter);
            }
        });
        return quoted.append('"').toString();
    }
}
