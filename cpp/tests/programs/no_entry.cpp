// A shared object that is no task program.
extern "C" int unrelated() { return 0; }
