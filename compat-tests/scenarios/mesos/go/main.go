// A scheduler of mesos-go over the v1 HTTP API: its controller keeps the subscription, in protobuf.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/backoff"
	"github.com/mesos/mesos-go/api/v1/lib/extras/scheduler/callrules"
	"github.com/mesos/mesos-go/api/v1/lib/extras/scheduler/controller"
	"github.com/mesos/mesos-go/api/v1/lib/extras/scheduler/eventrules"
	"github.com/mesos/mesos-go/api/v1/lib/extras/store"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli/httpsched"
	"github.com/mesos/mesos-go/api/v1/lib/resources"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler/calls"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler/events"
)

const timeMax = 100 * time.Second

// What each task runs, and how it is to end; the sleeper is killed once it runs.
var commands = map[string]string{"good": "true", "bad": "exit 3", "sleeper": "sleep 1000"}
var ends = map[string]mesos.TaskState{
	"good": mesos.TASK_FINISHED, "bad": mesos.TASK_FAILED, "sleeper": mesos.TASK_KILLED,
}

type framework struct {
	caller   calls.Caller
	launched bool
	ended    map[string]mesos.TaskState
	why      map[string]string
	done     context.CancelFunc
}

func (f *framework) offers(ctx context.Context, event *scheduler.Event) error {
	for _, offer := range event.GetOffers().GetOffers() {
		if f.launched {
			if err := calls.CallNoData(ctx, f.caller, calls.Decline(offer.ID)); err != nil {
				return err
			}
			continue
		}
		f.launched = true
		wanted := mesos.Resources{}
		wanted.Add(resources.NewCPUs(0.1).Resource, resources.NewMemory(32).Resource)
		remaining := mesos.Resources(offer.Resources)
		var tasks []mesos.TaskInfo
		for name, command := range commands {
			found := resources.Find(wanted, remaining...)
			remaining.Subtract(found...)
			tasks = append(tasks, mesos.TaskInfo{
				Name:      name,
				TaskID:    mesos.TaskID{Value: name},
				AgentID:   offer.AgentID,
				Command:   &mesos.CommandInfo{Value: &command},
				Resources: found,
			})
		}
		launch := calls.OfferOperations{calls.OpLaunch(tasks...)}.WithOffers(offer.ID)
		if err := calls.CallNoData(ctx, f.caller, calls.Accept(launch)); err != nil {
			return err
		}
	}
	return nil
}

func (f *framework) update(ctx context.Context, event *scheduler.Event) error {
	status := event.GetUpdate().GetStatus()
	name, state := status.TaskID.Value, status.GetState()
	if name == "sleeper" && state == mesos.TASK_RUNNING {
		return calls.CallNoData(ctx, f.caller, calls.Kill(name, status.AgentID.Value))
	}
	switch state {
	case mesos.TASK_STAGING, mesos.TASK_STARTING, mesos.TASK_RUNNING, mesos.TASK_KILLING:
		return nil
	}
	f.ended[name], f.why[name] = state, status.GetMessage()
	if len(f.ended) == len(ends) {
		if err := calls.CallNoData(ctx, f.caller, &scheduler.Call{Type: scheduler.Call_TEARDOWN}); err != nil {
			return err
		}
		f.done()
	}
	return nil
}

func run() error {
	ctx, cancel := context.WithTimeout(context.Background(), timeMax)
	defer cancel()
	id := store.NewInMemorySingleton()
	client := httpcli.New(httpcli.Endpoint("http://" + os.Getenv("MESOS") + "/api/v1/scheduler"))
	rules := callrules.New(callrules.WithFrameworkID(store.GetIgnoreErrors(id)))
	f := &framework{
		caller: rules.Caller(httpsched.NewCaller(client)),
		ended:  map[string]mesos.TaskState{},
		why:    map[string]string{},
		done:   cancel,
	}
	handler := eventrules.New(controller.LiftErrors()).Handle(events.Handlers{
		scheduler.Event_SUBSCRIBED: eventrules.New(controller.TrackSubscription(id, time.Minute)),
		scheduler.Event_OFFERS:     events.HandlerFunc(f.offers),
		scheduler.Event_UPDATE:     controller.AckStatusUpdates(f.caller).AndThen().HandleF(f.update),
	})
	// Of one role: what it wants names no allocation, and is found only in offers that name none.
	info := &mesos.FrameworkInfo{User: "root", Name: "mesos-go"}
	err := controller.Run(ctx, info, f.caller,
		controller.WithEventHandler(handler),
		controller.WithFrameworkID(store.GetIgnoreErrors(id)),
		controller.WithRegistrationTokens(backoff.Notifier(time.Second, 5*time.Second, ctx.Done())),
		controller.WithSubscriptionTerminated(func(err error) {
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}),
	)
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	for name, end := range ends {
		if f.ended[name] != end {
			return fmt.Errorf("%s ended as %v, not as %v: %s", name, f.ended[name], end, f.why[name])
		}
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("PASS")
}
