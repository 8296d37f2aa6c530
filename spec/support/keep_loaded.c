/*
** Preloaded beside a leak checker: shared objects stay loaded at the end of a
** process, so that its report can name the functions of what leaked.
*/
int dlclose(void *handle);

int dlclose(void *handle) {
  (void)handle;
  return 0;
}
