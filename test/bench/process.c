/*-------------------------------------------------------------------------
 *
 * process.c
 *	  What Linux tells about the server's processes.
 *
 * All of it needs the rights of the server's user, and a server on this
 * machine; where they are lacking the answer is "unknown", not an error.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  test/bench/process.c
 *
 *-------------------------------------------------------------------------
 */
#include "bench.h"

#include <sched.h>
#include <string.h>

/* A process number means something here only if the server runs here. */
bool
server_is_local(PGconn *conn)
{
	const char *host = PQhost(conn);

	return host != NULL && host[0] == '/';
}

static FILE *
open_proc(int pid, const char *file)
{
	char		path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return fopen(path, "r");
}

/* The number behind "name:" in a file of /proc/pid, -1 if there is none. */
static int64_t
proc_number(int pid, const char *file, const char *name)
{
	FILE	   *fp = open_proc(pid, file);
	size_t		length = strlen(name);
	char		line[256];
	long long	number = -1;

	if (fp == NULL)
		return -1;
	while (fgets(line, sizeof(line), fp) != NULL)
		if (strncmp(line, name, length) == 0 && line[length] == ':')
		{
			if (sscanf(line + length + 1, "%lld", &number) != 1)
				number = -1;
			break;
		}
	fclose(fp);
	return number;
}

/* Bytes the process had fetched from storage, -1 if that cannot be known. */
int64_t
process_read_bytes(int pid)
{
	return proc_number(pid, "io", "read_bytes");
}

/* A line of /proc/pid/status, such as VmHWM, in kB; -1 if unknown. */
int64_t
process_status_kb(int pid, const char *name)
{
	return proc_number(pid, "status", name);
}

/*
 * Is this mapping the server's main shared memory?  Memory shared by the
 * processes of a parallel operation is in /dev/shm, under other names.
 */
static bool
is_main_shared_memory(const char *header)
{
	return strstr(header, "/dev/zero") != NULL ||
		strstr(header, "/anon_hugepage") != NULL ||
		strstr(header, "/SYSV") != NULL;
}

/* Adds the memory of a process; false if that cannot be known. */
bool
process_memory(int pid, ProcessMemory *sum)
{
	FILE	   *fp = open_proc(pid, "smaps");
	char		line[512];
	bool		shared = false;
	bool		any = false;
	long long	kb;

	if (fp == NULL)
		return false;
	while (fgets(line, sizeof(line), fp) != NULL)
	{
		unsigned long from;
		unsigned long to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			shared = is_main_shared_memory(line);
		else if (sscanf(line, "Pss: %lld kB", &kb) == 1)
		{
			any = true;
			sum->total += kb * 1024;
			if (!shared)
				sum->own += kb * 1024;
		}
	}
	fclose(fp);
	return any;
}

/* The number-th of the processors we may use, counted round and round. */
static int
choose_processor(const cpu_set_t *allowed, int number)
{
	int			left = number % CPU_COUNT(allowed);

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, allowed) && left-- == 0)
			return cpu;
	return 0;
}

/*
 * Puts this thread and its session's process on one processor, the number-th.
 * They never run at the same time, and waking a process elsewhere takes longer
 * than a whole lookup: left to chance, that is most of the noise.
 */
void
pin_session(PGconn *conn, int number)
{
	static bool told = false;
	cpu_set_t	allowed;
	cpu_set_t	one;

	CPU_ZERO(&one);
	if (server_is_local(conn) &&
		sched_getaffinity(PQbackendPID(conn), sizeof(allowed), &allowed) == 0)
	{
		CPU_SET(choose_processor(&allowed, number), &one);
		if (sched_setaffinity(PQbackendPID(conn), sizeof(one), &one) == 0 &&
			sched_setaffinity(0, sizeof(one), &one) == 0)
			return;
	}
	if (!told)
		fputs("! sessions are not pinned to processors: no permission\n", stderr);
	told = true;
}
