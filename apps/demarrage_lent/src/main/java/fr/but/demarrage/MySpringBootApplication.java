package fr.but.demarrage;

import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** The program of slide 4.06: an application whose start lasts a minute. Its contract is in README.md. */
@SpringBootApplication
public class MySpringBootApplication {

    public static void main(String[] args) throws InterruptedException {
        Settings settings = Settings.readOrExit();
        Journal journal = new Journal(settings);
        journal.write("starting", "delay_s", settings.delaySeconds(), "listen", settings.listen());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> journal.write("stopping")));
        Delay delay = new Delay(settings, journal);
        if (settings.late()) {
            delay.sleep();
        }
        SpringApplication application = new SpringApplication(MySpringBootApplication.class);
        application.addInitializers(context -> {
            ConfigurableListableBeanFactory beans = context.getBeanFactory();
            beans.registerSingleton("settings", settings);
            beans.registerSingleton("journal", journal);
            beans.registerSingleton("delay", delay);
        });
        application.run(settings.springArguments());
    }

    /** Runs once Tomcat listens; Spring Boot accepts traffic when it has ended. */
    @Bean
    public CommandLineRunner delayBeforeStartup(Delay delay, Settings settings) {
        return args -> {
            if (!settings.late()) {
                delay.sleep();
            }
            delay.startupIsOver();
        };
    }
}
