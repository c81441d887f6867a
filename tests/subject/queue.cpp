// SPDX-License-Identifier: Apache-2.0
//
// queue: std::thread, std::mutex and std::condition_variable. The consumer waits with `if` where it needs `while`, and
// two consumers are woken for one item: the second takes from an empty queue. With an argument it is `while`.
#include <cassert>
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <queue>
#include <thread>

static std::mutex mutex;
static std::condition_variable changed;
static std::queue<int> items;
static bool corrected;

static void consume()
{
    std::unique_lock<std::mutex> lock(mutex);
    if (!corrected && items.empty()) {
        changed.wait(lock);
    }
    while (corrected && items.empty()) {
        changed.wait(lock);
    }
    assert(!items.empty());
    items.pop();
}

static void produce()
{
    for (int i = 0; i < 2; i++) {
        std::lock_guard<std::mutex> lock(mutex);
        items.push(i);
        changed.notify_all();
    }
}

int main(int argc, char **)
{
    corrected = argc > 1;
    std::cout << "queue" << std::endl;
    std::thread first(consume), second(consume), producer(produce);
    first.join();
    second.join();
    producer.join();
    return 0;
}
