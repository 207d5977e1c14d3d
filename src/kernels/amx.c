/*-------------------------------------------------------------------------
 *
 * amx.c
 *	  The kernel that gains from x86-64's AMX (TILE and INT8): dot products of
 *	  many rows with many panels.  The rest of its table is that of avx512.c.
 *
 * A tile has up to 16 rows of 64 bytes.  A panel is laid out as the
 * multiplication wants its second operand: a row of four dimensions of 16
 * vectors.  Tiles are released after each call, so that the operating system
 * has none to save when it switches to another process.
 *
 * Copyright (c) 2026, diskann contributors
 *
 * IDENTIFICATION
 *	  src/kernels/amx.c
 *
 *-------------------------------------------------------------------------
 */
#include "kernels/kernels_internal.h"

#ifdef DISKANN_KERNELS_AMX

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TARGET __attribute__((target("amx-tile,amx-int8")))
#define INLINE TARGET __attribute__((always_inline)) static inline

/* Rows of a tile, and groups of four dimensions that it has of each. */
#define TILE_ROWS 16
#define TILE_GROUPS 16

/* Panels at a time: as many sums as the latency of a product asks for. */
#define PANEL_BLOCK 4

/* Tiles 0 to 3 are sums; the last groups of dimensions need narrower tiles. */
#define ROWS_TILE 4
#define PANEL_TILE 5
#define LAST_ROWS_TILE 6
#define LAST_PANEL_TILE 7

/* What LDTILECFG reads. */
typedef struct TileConfig
{
	uint8_t		palette;
	uint8_t		start_row;
	uint8_t		reserved[14];
	uint16_t	bytes_per_row[16];
	uint8_t		rows[16];
} TileConfig;

/* Shape the tiles for some rows, and groups beyond multiples of TILE_GROUPS. */
INLINE void
shape_tiles(size_t nrows, size_t last_groups)
{
	TileConfig	config;

	memset(&config, 0, sizeof(config));
	config.palette = 1;
	for (int tile = 0; tile < 8; tile++)
	{
		config.rows[tile] = (uint8_t) nrows;
		config.bytes_per_row[tile] = DISKANN_PANEL_GROUP;
	}
	config.rows[PANEL_TILE] = TILE_GROUPS;
	if (last_groups > 0)
	{
		config.bytes_per_row[LAST_ROWS_TILE] = (uint16_t) (4 * last_groups);
		config.rows[LAST_PANEL_TILE] = (uint8_t) last_groups;
	}

	/* GCC 12 believes that only the first bytes of it are read. */
	__asm__ volatile (""::"m" (config));

	_tile_loadconfig(&config);
}

/* Numbers of tiles are part of instructions: no loop over panels. */
#define ADD_PANEL(k, rows_tile, panel_tile) \
	if (npanels > (k)) \
	{ \
		_tile_loadd(panel_tile, panels + (k) * panel_bytes + \
					g * DISKANN_PANEL_GROUP, DISKANN_PANEL_GROUP); \
		_tile_dpbssd(k, rows_tile, panel_tile); \
	}

/* Add the products of rows with some panels, a constant number, to the sums. */
#define ADD_PRODUCTS(rows_tile, panel_tile) \
	do { \
		_tile_loadd(rows_tile, rows + 4 * g, row_stride); \
		ADD_PANEL(0, rows_tile, panel_tile) \
		ADD_PANEL(1, rows_tile, panel_tile) \
		ADD_PANEL(2, rows_tile, panel_tile) \
		ADD_PANEL(3, rows_tile, panel_tile) \
	} while (0)

#define STORE_PANEL(k) \
	if (npanels > (k)) \
		_tile_stored(k, out + (k) * DISKANN_PANEL, out_bytes)

/* The rows of a tile against some panels, a constant number. */
INLINE void
dot_tile_panels(const int8_t *rows, size_t row_stride, const int8_t *panels,
				int npanels, size_t ngroups, int32_t *out, size_t out_bytes)
{
	const size_t panel_bytes = ngroups * DISKANN_PANEL_GROUP;
	size_t		g = 0;

	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
	for (; g + TILE_GROUPS <= ngroups; g += TILE_GROUPS)
		ADD_PRODUCTS(ROWS_TILE, PANEL_TILE);
	if (g < ngroups)
		ADD_PRODUCTS(LAST_ROWS_TILE, LAST_PANEL_TILE);
	STORE_PANEL(0);
	STORE_PANEL(1);
	STORE_PANEL(2);
	STORE_PANEL(3);
}

TARGET void
diskann_dot_i8_panels_amx(const int8_t *rows, size_t nrows, size_t row_stride,
						  const int8_t *panels, size_t npanels, size_t ngroups,
						  int32_t *out, size_t out_stride)
{
	const size_t panel_bytes = ngroups * DISKANN_PANEL_GROUP;
	const size_t out_bytes = out_stride * sizeof(int32_t);
	size_t		shaped = 0;

	for (size_t r = 0; r < nrows; r += TILE_ROWS)
	{
		size_t		n = nrows - r < TILE_ROWS ? nrows - r : TILE_ROWS;
		size_t		p = 0;

		if (n != shaped)
			shape_tiles(n, ngroups % TILE_GROUPS);
		shaped = n;
		for (; p + PANEL_BLOCK <= npanels; p += PANEL_BLOCK)
			dot_tile_panels(rows, row_stride, panels + p * panel_bytes,
							PANEL_BLOCK, ngroups, out + p * DISKANN_PANEL,
							out_bytes);
		switch (npanels - p)
		{
			case 3:
				dot_tile_panels(rows, row_stride, panels + p * panel_bytes, 3,
								ngroups, out + p * DISKANN_PANEL, out_bytes);
				break;
			case 2:
				dot_tile_panels(rows, row_stride, panels + p * panel_bytes, 2,
								ngroups, out + p * DISKANN_PANEL, out_bytes);
				break;
			case 1:
				dot_tile_panels(rows, row_stride, panels + p * panel_bytes, 1,
								ngroups, out + p * DISKANN_PANEL, out_bytes);
				break;
		}
		rows += n * row_stride;
		out += n * out_stride;
	}
	_tile_release();
}

/*
 * Linux gives tiles to processes that ask for them: arch_prctl(
 * ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA), whose numbers older headers lack.
 */
bool
diskann_amx_runs_here(void)
{
	const unsigned int tile = 1u << 24;
	const unsigned int bytes = 1u << 25;
	unsigned int eax;
	unsigned int ebx;
	unsigned int ecx;
	unsigned int edx;

	return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) &&
		(edx & tile) != 0 && (edx & bytes) != 0 &&
		syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}

#endif							/* DISKANN_KERNELS_AMX */
