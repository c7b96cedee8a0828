/*
 * The portal.  Kore calls, in this order: kore_parent_configure() before it
 * reads its configuration and forks; kore_worker_configure() in each worker;
 * kore_worker_teardown() when one ends.
 *
 * Kore's configuration reads no environment, so the parts of it that depend on
 * settings are made here as text.
 */
#include <kore/kore.h>
#include <kore/http.h>
#include <kore/seccomp.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <signal.h>

#include "accounts/account_pages.h"
#include "api/api_pages.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/setting.h"
#include "base/spoof.h"
#include "crypto/breached.h"
#include "crypto/secret.h"
#include "crypto/token.h"
#include "db/pool.h"
#include "health.h"
#include "frame.h"
#include "gateway/gateway.h"
#include "run/co.h"
#include "run/work.h"
#include "sessions/session.h"
#include "web/asset.h"
#include "web/dispatch.h"
#include "web/respond.h"
#include "web/route.h"
#include "web/serve.h"
#include "web/template.h"

/* No cipher without forward secrecy and authenticated encryption. */
#define TLS_CIPHERS							\
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"	\
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"	\
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

#define EVENT_WORK	141u	/* none of Kore's own, nor of db/ */
#define DRAIN_MAX_MS	8000u	/* what runs longer is cut off */
#define FLUSH_MS	100u	/* the log */
/* A worker that is not ready by then takes visitors and tells them so. */
#define GATE_MAX_MS	1000u

#if !defined(KORE_NO_SECCOMP_FILTERS)
/*
 * Beyond Kore's own list, which has reading, writing, memory and signals, and
 * answers ioctl with EACCES.  Each group names who asks; what is not in
 * either list kills the worker.  tests/db/test_tcp.py and tests/e2e go the
 * ways that need them.
 */
KORE_SECCOMP_FILTER("latchkey",
	/* glibc: threads, files, qsort, abort; clone without it is known */
	KORE_SYSCALL_DENY(clone3, ENOSYS),
	KORE_SYSCALL_ALLOW(rseq),
	KORE_SYSCALL_ALLOW(newfstatat),
	KORE_SYSCALL_ALLOW(faccessat),
	KORE_SYSCALL_ALLOW(faccessat2),
	KORE_SYSCALL_ALLOW(mremap),
	KORE_SYSCALL_ALLOW(sched_getaffinity),
	KORE_SYSCALL_ALLOW(sched_yield),
	KORE_SYSCALL_ALLOW(sysinfo),
	KORE_SYSCALL_ALLOW(gettid),
	KORE_SYSCALL_ALLOW(tgkill),
	/* libpq, hiredis: over a Unix socket or TCP */
	KORE_SYSCALL_ALLOW_ARG(socket, 0, AF_UNIX),
	KORE_SYSCALL_ALLOW_ARG(socket, 0, AF_INET),
	KORE_SYSCALL_ALLOW_ARG(socket, 0, AF_INET6),
	KORE_SYSCALL_ALLOW(connect),
	KORE_SYSCALL_ALLOW(getsockopt),
	KORE_SYSCALL_ALLOW(getsockname),
	KORE_SYSCALL_ALLOW(getpeername),
	/* the resolver, for the names of their hosts */
	KORE_SYSCALL_ALLOW_ARG(socket, 0, AF_NETLINK),
	KORE_SYSCALL_ALLOW(sendmsg),
	KORE_SYSCALL_ALLOW(recvmsg),
	KORE_SYSCALL_ALLOW(sendmmsg),
	KORE_SYSCALL_ALLOW(uname),
	/* ours: work threads, locked secrets, templates that are read again */
	KORE_SYSCALL_ALLOW(eventfd2),
	KORE_SYSCALL_ALLOW(getpriority),
	KORE_SYSCALL_ALLOW(setpriority),
	KORE_SYSCALL_ALLOW(mlock),
	KORE_SYSCALL_ALLOW(munlock),
	KORE_SYSCALL_ALLOW(getdents64),
	/* the file of breached passwords */
	KORE_SYSCALL_ALLOW(pread64),
)
#endif

static volatile sig_atomic_t	 terminating, hung_up;
static struct kore_event	 work_event;
static unsigned			 worker_starts;		/* a metric */
static u_int32_t	 connections_max;	/* while the gate is shut */

/* Kore finds these by their names. */
void		kore_parent_configure(int, char **);
void		kore_worker_configure(void);
void		kore_worker_teardown(void);

static void	options(int, char **);
static void	configure_server(void);
static void	listen_on(const char *name, const char *what, bool tls,
		    const char *host, const char *port, const char *path);
static void	check_certificate(void);
static void	take_log(int, const char *, const char *);
static void	on_terminate(int);
static void	on_hang_up(int);
static void	on_turn(void);
static void	on_tick(void *, u_int64_t);
static void	on_flush(void *, u_int64_t);
static void	gate(u_int64_t);
static void	watch_work(int);
static void	on_work(void *, int);
_Noreturn static void stop(const char *what, const char *why);

void
kore_parent_configure(int argc, char **argv)
{
	const char		*why = "";
	char			*error = NULL;

	options(argc, argv);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	setting_load(SETTING_PORTAL);
	log_setup("latchkey", setting->log_level);
	secret_guard_process();
	if (getuid() == 0 && setting->production)
		stop("user", "don't run the portal as root: use a user of its "
		    "own, as conf/latchkey.service does");
	crypto_init();
	route_setup(routes);
	if (!dispatch_setup())
		stop("LATCHKEY_TRUSTED_PROXIES", "must be addresses or "
		    "networks such as 10.0.0.0/8, with commas between");
	if (!assets_load(setting->assets, &why))
		stop("LATCHKEY_ASSETS", why);
	if (!template_setup(setting->templates, !setting->production, &error))
		stop("LATCHKEY_TEMPLATES", error);
	if (setting->breached_passwords_file != NULL &&
	    !breached_open(setting->breached_passwords_file, &why))
		stop("LATCHKEY_BREACHED_PASSWORDS_FILE", why);
	if (setting->tls_cert != NULL)
		check_certificate();
	/* The last of what is asked, since it asks the database. */
	health_check_master_key();
	spoof_setup();
	respond_setup();
	metric_setup();
	worker_starts = metric_new(METRIC_COUNTER,
	    "latchkey_worker_starts_total", "Workers that were started.", "");
	serve_setup();
	gateway_setup();
	api_setup();
	web_hooks.admit = health_admit;
	session_again = again_page_carry_on;
	web_hooks.csrf_base = session_csrf_base;
	web_hooks.frame = frame_view;
	kore_log_hook = take_log;
	configure_server();
}

void
kore_worker_configure(void)
{
	struct sigaction	sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_terminate;
	(void)sigfillset(&sa.sa_mask);
	(void)sigaction(SIGTERM, &sa, NULL);
	/* In place of Kore's, which loads modules again: there are none. */
	sa.sa_handler = on_hang_up;
	(void)sigaction(SIGHUP, &sa, NULL);
	metric_worker(worker->id);
	metric_add(worker_starts, 1);
	health_setup();
	gateway_start();
	work_setup((unsigned)setting->hash_threads, watch_work);
	pool_setup(setting->database_url, "latchkey");
	kore_turn_hook = on_turn;
	connections_max = worker_max_connections;
	worker_max_connections = 0;
	(void)kore_timer_add(on_tick, POOL_TICK_MS, NULL, 0);
	(void)kore_timer_add(on_flush, FLUSH_MS, NULL, 0);
}

void
kore_worker_teardown(void)
{
	log_flush();
}

/* `latchkey` alone serves; everything else is a question about it. */
static void
options(int argc, char **argv)
{
	const struct route	*row;

	kore_foreground = 1;
	skip_chroot = 1;
	skip_runas = 1;
	kore_quiet = 1;
	if (argc == 1)
		return;
	if (argc == 2 && strcmp(argv[1], "--routes") == 0) {
		for (row = routes; row->pattern != NULL; row++)
			(void)printf("%s %s %s\n", method_name(row->method),
			    row->pattern, guard_text(row->guard));
		exit(0);
	}
	(void)fputs("usage: latchkey [--routes]\n"
	    "Serves the portal; settings come from the environment, see "
	    "conf/latchkey.env.example.\n", stderr);
	exit(2);
}

/* By calls what comes from settings: as text, Kore cuts it at spaces. */
static void
configure_server(void)
{
	char	 text[512];
	FILE	*f;
	bool	 tls = setting->tls_cert != NULL;

	listen_on("portal", "LATCHKEY_LISTEN", tls, setting->listen_host,
	    setting->listen_port, setting->listen_unix);
	if (setting->gateway)
		listen_on("gateway", "LATCHKEY_GATEWAY_LISTEN", false,
		    setting->gateway_host, setting->gateway_port,
		    setting->gateway_unix);
	/* The portal first: Kore's primary domain is the one with TLS. */
	(void)snprintf(text, sizeof(text), "workers %d\n"
	    "domain * {\nattach portal\n%sroute ^.*$ serve\n}\n%s",
	    (int)setting->workers, tls ? "certfile -\ncertkey -\n" : "",
	    setting->gateway ? "domain * {\nattach gateway\n"
	    "route ^.*$ gateway_serve\n}\n" : "");
	f = fmemopen(text, strlen(text), "r");
	if (f == NULL)
		stop("memory", strerror(errno));
	kore_parse_config_file(f);
	(void)fclose(f);
	if (tls) {
		tls_dhparam = DH_new_by_nid(NID_ffdhe2048);
		kore_tls_cipher_list = kore_strdup(TLS_CIPHERS);
		kore_free(primary_dom->certfile);
		primary_dom->certfile = kore_strdup(setting->tls_cert);
		kore_free(primary_dom->certkey);
		primary_dom->certkey = kore_strdup(setting->tls_key);
	}
}

static void
listen_on(const char *name, const char *what, bool tls, const char *host,
    const char *port, const char *path)
{
	struct kore_server	*server = kore_server_create(name);

	server->tls = tls;
	if (path == NULL) {
		if (!kore_server_bind(server, host, port, NULL))
			stop(what, "can't listen there, see above: is it "
			    "taken, or not of this machine?");
		return;
	}
	if (tls)
		stop("LATCHKEY_TLS_CERT", "is for a port; before a unix: "
		    "LATCHKEY_LISTEN the proxy speaks TLS");
	(void)unlink(path);
	/*
	 * The proxy runs as a user of its own.  Who may reach the socket is
	 * said by its folder, as who may reach a port is by the network.
	 */
	if (!kore_server_bind_unix(server, path, NULL) ||
	    chmod(path, 0666) == -1)
		stop(what, "can't make that socket: is its folder there, and "
		    "may this user write to it?");
}

/*
 * In a process of its own: a private key must never have been in the memory
 * that workers are forked from.  What the operator replaces later is checked
 * in the same way by the key manager, which keeps the old pair if it is bad.
 */
static void
check_certificate(void)
{
	struct kore_keypair	pair;
	pid_t			pid;
	int			status;

	pid = fork();
	if (pid == -1)
		stop("fork", strerror(errno));
	if (pid == 0) {
		if (kore_keypair_load(&pair, setting->tls_cert,
		    setting->tls_key))
			_exit(0);
		(void)fprintf(stderr, "latchkey: %s: %s: %s\n",
		    pair.file == setting->tls_cert ? "LATCHKEY_TLS_CERT" :
		    "LATCHKEY_TLS_KEY", pair.file, pair.why);
		_exit(2);
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			stop("waitpid", strerror(errno));
	if (!WIFEXITED(status))
		stop("LATCHKEY_TLS_CERT", "reading it failed");
	if (WEXITSTATUS(status) != 0)
		exit(2);
}

static void
take_log(int prio, const char *process, const char *text)
{
	log_event(prio <= LOG_WARNING ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
	    "kore", "process", process, "text", text, NULL);
	/* Only workers have a timer for it, and these lines are rare. */
	log_flush();
}

static void
on_terminate(int sig)
{
	(void)sig;
	terminating = 1;
}

static void
on_hang_up(int sig)
{
	(void)sig;
	hung_up = 1;
}

/* Before the event loop waits: what was asked in this turn goes out. */
static void
on_turn(void)
{
	pool_turn();
	gateway_turn();
}

static void
on_tick(void *arg, u_int64_t now)
{
	(void)arg;
	(void)now;
	pool_tick();
	session_tick();
	serve_tick();
}

/*
 * SIGTERM: no new connections, what runs is answered, then the worker leaves
 * through Kore's own way out.
 */
static void
on_flush(void *arg, u_int64_t now)
{
	static u_int64_t	since;

	(void)arg;
	log_flush();
	if (hung_up) {
		hung_up = 0;
		health_reread();
	}
	gateway_tick(terminating);
	if (!terminating) {
		health_tick();
		gate(now);
		return;
	}
	if (since == 0) {
		since = now;
		worker_max_connections = 0;
		serve_drain();
		health_leave();
	}
	if ((http_request_count == 0 && co_count() == 0 &&
	    gateway_settled()) || now - since > DRAIN_MAX_MS)
		(void)kill(getpid(), SIGQUIT);
}

/*
 * A new worker leaves visitors to the others until it has its database and its
 * keys, so that nobody notices one that died.
 */
static void
gate(u_int64_t now)
{
	static u_int64_t	since;

	if (connections_max == 0)
		return;
	if (since == 0)
		since = now;
	if (!health_ready() && now - since < GATE_MAX_MS)
		return;
	worker_max_connections = connections_max;
	connections_max = 0;
}

static void
watch_work(int fd)
{
	work_event.type = EVENT_WORK;
	work_event.handle = on_work;
	kore_platform_event_level_read(fd, &work_event);
}

static void
on_work(void *arg, int error)
{
	(void)arg;
	(void)error;
	work_finish();
}

_Noreturn static void
stop(const char *what, const char *why)
{
	(void)fprintf(stderr, "latchkey: %s: %s\n", what, why);
	exit(2);
}
