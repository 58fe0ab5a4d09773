<?php
/* As in the image that registries have: the database is named by variables. */
function setting(string $name, string $otherwise): string {
    $value = getenv("WORDPRESS_$name");
    return $value === false ? $otherwise : $value;
}

define('DB_HOST', setting('DB_HOST', 'mysql'));
define('DB_NAME', setting('DB_NAME', 'wordpress'));
define('DB_USER', setting('DB_USER', 'wordpress'));
define('DB_PASSWORD', setting('DB_PASSWORD', ''));
define('DB_CHARSET', 'utf8mb4');
define('WP_CONTENT_DIR', '/var/lib/wordpress/wp-content');
/* The same page by every way in: a port of the node, a Service's name, port-forward. */
if (isset($_SERVER['HTTP_HOST'])) {
    define('WP_HOME', 'http://' . $_SERVER['HTTP_HOST']);
    define('WP_SITEURL', WP_HOME);
}
/* No pod can ask wordpress.org for news where there is no internet. */
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('DISABLE_WP_CRON', true);
foreach (array('AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE') as $use) {
    define($use . '_KEY', setting($use . '_KEY', "put your unique phrase here: $use"));
    define($use . '_SALT', setting($use . '_SALT', "put your unique salt here: $use"));
}
