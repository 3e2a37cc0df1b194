// The task program ABI: all that an emitted program and the engine know of each other.
// Plain C types, no standard library: it is compiled with every emitted program and read by any compiler.
#ifndef PTO_ABI_H
#define PTO_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PTO_ABI_VERSION 9u
#define PTO_MAX_RANK 6
// What a read answers stays below: index arithmetic on it was checked against 64 bits when the program was compiled.
#define PTO_INDEX_MAX (INT64_C(1) << 40)

typedef enum pto_dtype {
  PTO_I1,
  PTO_I8,
  PTO_I16,
  PTO_I32,
  PTO_I64,
  PTO_U8,
  PTO_U16,
  PTO_U32,
  PTO_U64,
  PTO_F16,
  PTO_BF16,
  PTO_F32,
  PTO_F64,
  PTO_F8E4M3,
  PTO_F8E5M2
} pto_dtype;

typedef enum pto_unit { PTO_CUBE, PTO_VECTOR } pto_unit;
typedef enum pto_role { PTO_IN, PTO_OUT, PTO_INOUT } pto_role;

// ---- Tasks -----------------------------------------------------------------------------------

// The box of elements that a task reads or writes. Only the first `rank` entries count.
typedef struct pto_region {
  uint32_t tensor;  // index into pto_program.tensors
  uint32_t rank;
  int64_t offset[PTO_MAX_RANK];
  int64_t extent[PTO_MAX_RANK];
} pto_region;

// One call of a kernel. The pointers are valid during the call that hands the task over.
typedef struct pto_task {
  uint32_t kernel;             // index into pto_program.kernels
  uint32_t site;               // index into pto_program.sites: axis names, source line
  const int64_t* axes;         // one value per axis of the site
  const pto_region* operands;  // one per parameter of the kernel, in its order
  uint32_t after_count;        // tasks that it waits for by name (`after=`)
  const int64_t* after;        // their ids, all of them earlier
  const int64_t* keys;         // filled in by the engine: one value per key function that the schedule names
  const int64_t* numbers;      // one per number of the kernel
} pto_task;

// A schedule's function of a task: a priority, a stream, a home, ... Pure; axes are those of task->site.
typedef struct pto_key {
  const char* name;
  const char* location;  // "file.py:12"
  int64_t (*value)(int64_t id, const pto_task* task);
} pto_key;

// A number that the workload cannot go on with: a loop of negative length, say.
typedef struct pto_refusal {
  const char* location;  // "file.py:12"
  const char* what;
  const char* expected;
  int64_t found;
  uint32_t axis_count;  // the loops around it
  const char* const* axes;
  const int64_t* values;
} pto_refusal;

// ---- Channels and processes ------------------------------------------------------------------

typedef struct pto_channel {
  const char* name;
  const char* location;
  int64_t depth;   // tokens that nobody has taken; 0: the receiver has to be there
  uint32_t width;  // numbers of a token
} pto_channel;

typedef enum pto_channel_kind { PTO_SEND, PTO_RECEIVE, PTO_DONE } pto_channel_kind;

// What a process asks for when it pauses: to send a token; to receive the next one; nothing, at the end of a token's
// body.
typedef struct pto_channel_call {
  uint8_t kind;      // pto_channel_kind
  uint8_t received;  // of PTO_RECEIVE: 1, or 0 where every sender has ended
  uint32_t channel;
  int64_t* values;  // of the token
  const char* location;
} pto_channel_call;

typedef struct pto_process {
  const char* name;
  const char* location;
  uint32_t send_count, receive_count;
  const uint32_t* sends;  // channels
  const uint32_t* receives;
  void* frame;
  pto_channel_call* (*resume)(void* frame);  // goes on to the next call; null: it has ended
} pto_process;

typedef struct pto_pipeline {
  const char* location;
  uint32_t channel_count;
  const pto_channel* channels;
  uint32_t process_count;
  const pto_process* processes;
} pto_pipeline;

// What the orchestrator's code may ask of the engine. A call that answers 0 (submit: a negative id)
// means: the run has been stopped, return at once.
typedef struct pto_host {
  void* self;
  const int64_t* symbols;  // one value per symbol of the program
  int64_t (*submit)(void* self, const pto_task* task);
  // Waits for the region's writers and widens its elements, row-major, into `values`. `location`: "file.py:12".
  int (*read)(void* self, const char* location, const pto_region* region, int64_t* values);
  // Ends the run with an error.
  void (*refuse)(void* self, const pto_refusal* refusal);
  // Structural order: a scope holds parts; each part waits for the part before it.
  int (*scope_begin)(void* self);
  int (*part)(void* self);
  int (*scope_end)(void* self);
  // Resumes the processes in turns until all have ended.
  int (*pipeline)(void* self, const pto_pipeline* pipeline);
  // In a process: a loop in which tokens are sent or received. `iteration` begins each of its iterations.
  int (*loop_begin)(void* self);
  int (*iteration)(void* self);
  int (*loop_end)(void* self);
} pto_host;

// ---- Kernels ---------------------------------------------------------------------------------

// Where a kernel's parameter lives. Unit axes are dropped, so it is a matrix with two strides in elements.
typedef struct pto_tile {
  void* data;  // first element; null for a procedural tensor, whose elements are hashes of their index
  int64_t row_stride;
  int64_t col_stride;
  uint64_t first;  // index of the first element in its tensor, counted row-major
  uint64_t key;    // procedural: mixed from seed and name
  float scale;     // procedural: elements are uniform in (-scale, scale), rounded to the dtype
} pto_tile;

// A matmul operand: a value in scratch (`value`; a float matrix, the box is all of it), or a box of a parameter that
// is widened while it is packed: f16, bf16, f32 or fp8.
typedef struct pto_operand {
  const void* value;     // dense row-major, or null
  const pto_tile* tile;  // where value is null
  int64_t row, col;      // the box's corner in the tile
  uint8_t dtype;         // pto_dtype of the tile's elements
  uint8_t transposed;    // the operand is the transpose of what is stored
} pto_operand;

typedef enum pto_reduction { PTO_SUM, PTO_MAX, PTO_MIN } pto_reduction;

// Numeric routines that emitted kernels call; the same bits on every machine. Values in scratch are dense and
// row-major; f16, bf16, f32 and fp8 are held as float, already rounded to their dtype; f64 as double, integers and i1
// (one byte) as themselves. `worker` is pto_call.worker: packing buffers of the calling host thread.
typedef struct pto_tile_ops {
  void (*load)(const pto_tile* tile, uint8_t dtype, int64_t row, int64_t col, int64_t rows, int64_t cols, void* value);
  void (*store)(const pto_tile* tile, uint8_t dtype, int64_t row, int64_t col, int64_t rows, int64_t cols,
                const void* value);
  // value = a (m x k) times b (k x n), plus acc if given, which may be value itself: one FMA chain over k per element,
  // in float.
  void (*matmul)(void* worker, int64_t m, int64_t k, int64_t n, const pto_operand* a, const pto_operand* b,
                 const float* acc, float* value);
  // Element c of a row goes to lane c mod 64; the lanes meet in a binary tree. A NaN wins.
  void (*row_reduce)(pto_reduction op, int64_t rows, int64_t cols, const float* in, float* out);
} pto_tile_ops;

// One run of a kernel on a host thread.
typedef struct pto_call {
  const pto_tile_ops* ops;
  void* worker;
  const pto_tile* args;  // one per parameter
  char* scratch;         // pto_kernel.scratch_bytes, 64-byte aligned
  const char* error;     // set by a body that meets a value it must refuse
  int64_t found;         // that value, where the error names one
  uint8_t has_found;
  // Prints a value in scratch; location: "file.py:12".
  void (*debug)(void* self, const char* location, const char* name, uint8_t dtype, int64_t rows, int64_t cols,
                const void* value);
  void* self;
  const int64_t* numbers;  // of the task
} pto_call;

typedef struct pto_param {
  const char* name;
  uint8_t role;   // pto_role
  uint8_t dtype;  // pto_dtype
  int64_t rows, cols;
} pto_param;

// A number that every launch gives a kernel.
typedef struct pto_number {
  const char* name;
  int64_t least, most;
} pto_number;

// A loop of a kernel whose length its tasks' numbers decide: start, start + step, ... below stop(numbers). A stop
// below 0 and below the start is refused.
typedef struct pto_loop {
  const char* location;  // "file.py:12"
  int64_t start, step;
  int64_t (*stop)(const int64_t* numbers);
} pto_loop;

#define PTO_MAX_LOOPS 64

// The pipes of a core that a fragment occupies.
typedef enum pto_pipe { PTO_PIPE_LOAD, PTO_PIPE_CUBE, PTO_PIPE_VECTOR, PTO_PIPE_STORE } pto_pipe;

// One tile op as the cost model sees it. A matmul is m x k x n; everything else rows x cols with k = 1.
typedef struct pto_fragment {
  const char* op;  // the tile op's name: "load", "matmul", "exp", ...
  uint8_t pipe;    // pto_pipe
  uint8_t dtype;   // pto_dtype of the elements worked on
  int64_t m, k, n;
  int64_t bytes;   // moved to or from global memory; 0 for compute
  int64_t trips;   // how often it runs in one task, or in one trip of those loops
  uint64_t loops;  // bit i: it runs in loop i of the kernel; the trips of such loops multiply
  int32_t param;   // of a load or store: the parameter that it is of; else -1
} pto_fragment;

typedef struct pto_kernel {
  const char* name;
  const char* location;  // "file.py:12"
  uint8_t unit;          // pto_unit
  uint32_t param_count;
  const pto_param* params;
  uint32_t fragment_count;
  const pto_fragment* fragments;
  int64_t scratch_bytes;
  void (*body)(pto_call* call);
  uint32_t number_count;
  const pto_number* numbers;
  uint32_t loop_count;  // at most PTO_MAX_LOOPS
  const pto_loop* loops;
} pto_kernel;

// ---- The program -----------------------------------------------------------------------------

typedef enum pto_source { PTO_SOURCE_NONE, PTO_SOURCE_MEMORY, PTO_SOURCE_RANDOM, PTO_SOURCE_ZIPF } pto_source;
typedef enum pto_tensor_role { PTO_CONSTANT, PTO_INPUT, PTO_OUTPUT, PTO_TEMPORARY } pto_tensor_role;

typedef struct pto_tensor {
  const char* name;
  const char* location;
  uint8_t dtype;   // pto_dtype
  uint8_t source;  // pto_source: where values come from when no task writes them
  uint8_t role;    // pto_tensor_role
  uint32_t rank;
  int64_t extent[PTO_MAX_RANK];
  uint64_t seed;                          // random, zipf
  double parameter;                       // random: scale; zipf: exponent
  int64_t zipf_values;                    // zipf: elements are below this; a row (last axis) holds distinct ones
  int64_t zipf_groups, zipf_kept_groups;  // zipf: group-limited choice; 1, 1 without
  uint8_t never_read;                     // by pto_host.read: nobody need remember what was written to it
} pto_tensor;

// A number that every run gives.
typedef struct pto_symbol {
  const char* name;
  const char* location;
  int64_t least, most;
  uint8_t has_value;  // in a run that gives none
  int64_t value;
} pto_symbol;

// A launch in the workload's text.
typedef struct pto_site {
  uint32_t kernel;
  const char* location;
  uint32_t axis_count;
  const char* const* axes;
  uint8_t checked;  // regions depend on data: test them against their tensors at run time
} pto_site;

typedef struct pto_program {
  uint32_t abi_version;
  const char* name;
  uint32_t kernel_count;
  const pto_kernel* kernels;
  uint32_t tensor_count;
  const pto_tensor* tensors;
  uint32_t symbol_count;
  const pto_symbol* symbols;
  uint32_t site_count;
  const pto_site* sites;
  uint32_t key_count;
  const pto_key* keys;
  int (*run)(const pto_host* host);  // the orchestrator's loops; 1, or 0 if it was stopped
} pto_program;

// The one symbol that a task program exports.
#define PTO_PROGRAM_ENTRY "pto_program_entry"
const pto_program* pto_program_entry(void);

#ifdef __cplusplus
}
#endif
#endif
