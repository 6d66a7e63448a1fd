/* A program with Python inside: its own thread, and one that Python knows by PyGILState only. */
#include <Python.h>

#include <pthread.h>
#include <stdio.h>

static const char source[] = "def embedded_work():\n"
			     "    for _ in range(1000):\n"
			     "        pass\n"
			     "def called_back():\n"
			     "    for _ in range(1000):\n"
			     "        pass\n";

static volatile unsigned long sink;

static void *calls(void *name)
{
	PyGILState_STATE state;

	for (;;) {
		PyObject *main, *result;
		unsigned i;

		state = PyGILState_Ensure();
		main = PyImport_AddModule("__main__");
		result = PyObject_CallMethod(main, name, NULL);
		Py_XDECREF(result);
		PyGILState_Release(state);
		for (i = 0; i < 30000; i++)
			sink += i;
	}
	return NULL;
}

int main(void)
{
	pthread_t thread;

	Py_Initialize();
	if (PyRun_SimpleString(source))
		return 1;
	PyEval_SaveThread();
	if (pthread_create(&thread, NULL, calls, "called_back"))
		return 1;
	puts("ready");
	fflush(stdout);
	calls("embedded_work");
	return 0;
}
