/*
 * The bridge to Kore: what main.c calls.
 */
#ifndef WEB_SERVE_H
#define WEB_SERVE_H

struct http_request;

/* The handler of Kore's one route; found by its name. */
int	serve(struct http_request *);
/* Before the fork: error pages of Kore's own answers are ours. */
void	serve_setup(void);
/* From now on every answer closes its connection. */
void	serve_drain(void);
/* Every half second. */
void	serve_tick(void);

#endif
