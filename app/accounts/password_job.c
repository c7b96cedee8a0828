/*
 * The slow part of choosing a password: looking at the present one, judging
 * and hashing the new one.  Runs on a work thread and sees its job only.
 */
#include "accounts/recovery.h"

void
password_job_run(void *arg)
{
	struct password_job	*job = arg;

	job->is_right = job->present.n == 0 || password_verify(job->present,
	    job->present_hash) != PASSWORD_WRONG;
	if (!job->is_right || job->wanted.n == 0)
		return;
	job->verdict = password_judge(job->wanted, job->own_words);
	if (job->verdict == PASSWORD_GOOD)
		job->done = password_hash(job->wanted, job->hash);
}
