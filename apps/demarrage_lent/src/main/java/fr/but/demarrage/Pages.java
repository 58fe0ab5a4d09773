package fr.but.demarrage;

import java.nio.charset.StandardCharsets;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.util.HtmlUtils;

/**
 * What clients come for. Tomcat listens before the start is over: until then pages lack their data, and clients that
 * get them cannot tell (status 200), unless BEFORE_READY=refuse has them turned away.
 */
@RestController
class Pages {

    private static final int MAX_SLOW_MS = 60_000;
    private static final MediaType TEXT = new MediaType(MediaType.TEXT_PLAIN, StandardCharsets.UTF_8);
    private static final MediaType HTML = new MediaType(MediaType.TEXT_HTML, StandardCharsets.UTF_8);
    private static final String PAGE = """
            <!doctype html>
            <html lang="fr">
            <head><meta charset="utf-8"><title>Démarrage lent %1$s</title></head>
            <body><h1>Démarrage lent, version %1$s</h1><p>Catalogue : %3$d articles.</p><p>Pod : %2$s</p></body>
            </html>
            """;

    private final Delay delay;
    private final Settings settings;

    Pages(Settings settings, Delay delay) {
        this.delay = delay;
        this.settings = settings;
    }

    @GetMapping("/")
    ResponseEntity<String> home() {
        if (turnsAway()) {
            return notYet();
        }
        String version = HtmlUtils.htmlEscape(settings.version());
        String page = PAGE.formatted(version, HtmlUtils.htmlEscape(settings.pod()), delay.articles());
        return ResponseEntity.ok().contentType(HTML).body(page);
    }

    @GetMapping("/slow")
    ResponseEntity<String> slow(@RequestParam(defaultValue = "100") String ms) throws InterruptedException {
        if (turnsAway()) {
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

    private boolean turnsAway() {
        return settings.refuses() && !delay.isOver();
    }

    private static ResponseEntity<String> notYet() {
        return say(503, "Le démarrage n’est pas fini : cette application ne peut pas encore répondre.");
    }

    private static ResponseEntity<String> say(int status, String sentence) {
        return ResponseEntity.status(status).contentType(TEXT).body(sentence + "\n");
    }
}
