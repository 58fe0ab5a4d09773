package fr.but.demarrage;

import java.nio.charset.StandardCharsets;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.util.HtmlUtils;

/** What clients come for. Tomcat listens before the start is over: until then they are turned away. */
@RestController
class Pages {

    private static final int MAX_SLOW_MS = 60_000;
    private static final MediaType TEXT = new MediaType(MediaType.TEXT_PLAIN, StandardCharsets.UTF_8);
    private static final MediaType HTML = new MediaType(MediaType.TEXT_HTML, StandardCharsets.UTF_8);
    private static final String PAGE = """
            <!doctype html>
            <html lang="fr">
            <head><meta charset="utf-8"><title>Démarrage lent %1$s</title></head>
            <body><h1>Démarrage lent, version %1$s</h1><p>Prête. Pod : %2$s</p></body>
            </html>
            """;

    private final Delay delay;
    private final String page;

    Pages(Settings settings, Delay delay) {
        this.delay = delay;
        this.page = PAGE.formatted(HtmlUtils.htmlEscape(settings.version()), HtmlUtils.htmlEscape(settings.pod()));
    }

    @GetMapping("/")
    ResponseEntity<String> home() {
        return delay.isOver() ? ResponseEntity.ok().contentType(HTML).body(page) : notYet();
    }

    @GetMapping("/slow")
    ResponseEntity<String> slow(@RequestParam(defaultValue = "100") String ms) throws InterruptedException {
        if (!delay.isOver()) {
            return notYet();
        }
        double wait;
        try {
            wait = Double.parseDouble(ms);
        } catch (NumberFormatException error) {
            wait = -1;
        }
        if (!(wait >= 0 && wait <= MAX_SLOW_MS)) {
            return say(400, "/slow?ms=N : N est un nombre entre 0 et " + MAX_SLOW_MS + ".");
        }
        Thread.sleep(Math.round(wait));
        return say(200, Math.round(wait) + " ms");
    }

    private static ResponseEntity<String> notYet() {
        return say(503, "Le démarrage n’est pas fini : cette application ne peut pas encore répondre.");
    }

    private static ResponseEntity<String> say(int status, String sentence) {
        return ResponseEntity.status(status).contentType(TEXT).body(sentence + "\n");
    }
}
