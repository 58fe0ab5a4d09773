package fr.but.demarrage;

import org.springframework.boot.availability.ApplicationAvailability;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.AvailabilityState;
import org.springframework.boot.availability.LivenessState;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.context.ApplicationContext;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/** Breaks and repairs what the probes see, by the events that Spring Boot has for it. */
@RestController
class Switches {

    /** What the probes see now. */
    record Seen(boolean live, boolean ready, String pod) {}

    private final ApplicationContext context;
    private final ApplicationAvailability availability;
    private final Journal journal;
    private final Settings settings;

    Switches(ApplicationContext context, ApplicationAvailability availability, Journal journal, Settings settings) {
        this.context = context;
        this.availability = availability;
        this.journal = journal;
        this.settings = settings;
    }

    @PostMapping("/admin/live/{word:on|off}")
    Seen live(@PathVariable("word") String word) {
        return change("live", word.equals("on"), LivenessState.CORRECT, LivenessState.BROKEN);
    }

    @PostMapping("/admin/ready/{word:on|off}")
    Seen ready(@PathVariable("word") String word) {
        return change("ready", word.equals("on"), ReadinessState.ACCEPTING_TRAFFIC, ReadinessState.REFUSING_TRAFFIC);
    }

    private <S extends AvailabilityState> Seen change(String probe, boolean ok, S good, S bad) {
        AvailabilityChangeEvent.publish(context, ok ? good : bad);
        journal.write("switched", "probe", probe, "ok", ok);
        return new Seen(
                availability.getLivenessState() == LivenessState.CORRECT,
                availability.getReadinessState() == ReadinessState.ACCEPTING_TRAFFIC,
                settings.pod());
    }
}
