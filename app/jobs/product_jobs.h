/*
 * The jobs of products that close: a part of jobs_run().
 */
#ifndef JOBS_PRODUCT_JOBS_H
#define JOBS_PRODUCT_JOBS_H

#include "db/db.h"

WAITS void	 product_jobs_run(struct db *);

#endif
