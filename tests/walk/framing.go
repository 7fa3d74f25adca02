package walk

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/bufbuild/protocompile"
	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Framing is one of the two ways of chat/PROTOCOL.md, section 1.
type Framing interface {
	Subprotocol() string
	Kind() websocket.MessageType
	// Encode makes one frame of these records.
	Encode(records ...M) ([]byte, error)
	Decode(frame []byte) ([]*Event, error)
}

// JSON is `wenzhen.v1.json`: a text frame is one record. It knows no schema.
type JSON struct{}

func (JSON) Subprotocol() string         { return "wenzhen.v1.json" }
func (JSON) Kind() websocket.MessageType { return websocket.MessageText }

func (JSON) Encode(records ...M) ([]byte, error) {
	if len(records) != 1 {
		return nil, fmt.Errorf("a text frame holds one record, not %d", len(records))
	}
	return json.Marshal(records[0])
}

func (JSON) Decode(frame []byte) ([]*Event, error) {
	event := new(Event)
	if err := json.Unmarshal(frame, event); err != nil {
		return nil, fmt.Errorf("event %s: %w", frame, err)
	}
	return []*Event{event}, nil
}

// Proto is `wenzhen.v1.proto`: a binary frame is one or more length-prefixed records.
// The schema is compiled from the published .proto files when the program runs.
type Proto struct {
	command, event protoreflect.MessageDescriptor
}

// NewProto reads the schema below root, the folder that holds `wenzhen/v1`.
func NewProto(ctx context.Context, root string) (*Proto, error) {
	compiler := protocompile.Compiler{Resolver: &protocompile.SourceResolver{ImportPaths: []string{root}}}
	files, err := compiler.Compile(ctx, "wenzhen/v1/socket.proto")
	if err != nil {
		return nil, err
	}
	messages := files[0].Messages()
	return &Proto{command: messages.ByName("Command"), event: messages.ByName("Event")}, nil
}

func (*Proto) Subprotocol() string         { return "wenzhen.v1.proto" }
func (*Proto) Kind() websocket.MessageType { return websocket.MessageBinary }

func (p *Proto) Encode(records ...M) ([]byte, error) {
	var frame []byte
	for _, record := range records {
		text, err := json.Marshal(record)
		if err != nil {
			return nil, err
		}
		message := dynamicpb.NewMessage(p.command)
		if err := protojson.Unmarshal(text, message); err != nil {
			return nil, err
		}
		bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
		if err != nil {
			return nil, err
		}
		frame = protowire.AppendBytes(frame, bytes)
	}
	return frame, nil
}

func (p *Proto) Decode(frame []byte) ([]*Event, error) {
	var events []*Event
	for len(frame) > 0 {
		record, size := protowire.ConsumeBytes(frame)
		if size < 0 {
			return nil, fmt.Errorf("record length: %w", protowire.ParseError(size))
		}
		frame = frame[size:]
		message := dynamicpb.NewMessage(p.event)
		if err := proto.Unmarshal(record, message); err != nil {
			return nil, err
		}
		text, err := protojson.Marshal(message)
		if err != nil {
			return nil, err
		}
		event := new(Event)
		if err := json.Unmarshal(text, event); err != nil {
			return nil, fmt.Errorf("event %s: %w", text, err)
		}
		events = append(events, event)
	}
	return events, nil
}
