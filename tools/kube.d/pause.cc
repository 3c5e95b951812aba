// Process 1 of every pod: holds its namespaces, reaps what dies there, ends when told to.
#include <sys/wait.h>

#include <signal.h>
#include <unistd.h>

int main() {
  signal(SIGINT, [](int) { _exit(0); });
  signal(SIGTERM, [](int) { _exit(0); });
  signal(SIGCHLD, [](int) {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  });
  for (;;) pause();
}
