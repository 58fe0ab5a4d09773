import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

@SpringBootApplication
public class MySpringBootApplication {

    public static void main(String[] args) {
        SpringApplication.run(MySpringBootApplication.class, args);
    }

    @Bean
    public CommandLineRunner delayBeforeStartup() {
        return args -> {
            Thread.sleep(60000); // Délai de 1 minute (en millisecondes)
            System.out.println("Le délai est écoulé. Démarrage du serveur...");
        };
    }
}
