package fr.but.demarrage;

/** The time that the start takes, whether it is over, and what it loads. */
class Delay {

    private static final int ARTICLES = 12;

    private final Settings settings;
    private final Journal journal;
    private volatile boolean over;

    Delay(Settings settings, Journal journal) {
        this.settings = settings;
        this.journal = journal;
    }

    /** Does what the slide does in place of real work: a cache to fill, a database to migrate. */
    void sleep() throws InterruptedException {
        Thread.sleep(Math.round(settings.delaySeconds() * 1000));
        journal.write("delay over");
    }

    void startupIsOver() {
        over = true;
    }

    boolean isOver() {
        return over;
    }

    /** How many articles the catalogue has: none until it is loaded. */
    int articles() {
        return over ? ARTICLES : 0;
    }
}
