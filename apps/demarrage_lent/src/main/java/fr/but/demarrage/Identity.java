package fr.but.demarrage;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.boot.web.server.context.WebServerInitializedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.util.ContentCachingResponseWrapper;

/** Says who answers in every answer's headers, and tells the journal of the open port and of each probe. */
@Component
class Identity extends OncePerRequestFilter {

    private final Settings settings;
    private final Journal journal;

    Identity(Settings settings, Journal journal) {
        this.settings = settings;
        this.journal = journal;
    }

    @EventListener
    void portIsOpen(WebServerInitializedEvent event) {
        journal.write("listening", "address", settings.bindAddr(), "port", event.getWebServer().getPort());
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        response.setHeader("X-App-Version", settings.version());
        response.setHeader("X-Pod-Name", settings.pod());
        if (!request.getRequestURI().startsWith("/actuator/health")) {
            chain.doFilter(request, response);
            return;
        }
        // The answer is held back until the journal has it: whoever saw a probe's result finds it there.
        ContentCachingResponseWrapper held = new ContentCachingResponseWrapper(response);
        chain.doFilter(request, held);
        journal.write("probe", "path", request.getRequestURI(), "status", held.getStatus());
        held.copyBodyToResponse();
    }
}
