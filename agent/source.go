package agent

import (
	"errors"
	"fmt"
	"os"

	"vignette/can/canlog/candump"
	"vignette/scenes"
	"vignette/scenes/drive"
)

// openLog opens a recording as the stream of the agent.
func openLog(c *SourceConfig, v *scenes.Vehicle) (*drive.LogStream, *os.File, error) {
	named, err := drive.ParseBusMap(v, c.Map)
	if err != nil {
		return nil, nil, fmt.Errorf("source.map: %w", err)
	}
	f, err := os.Open(c.Log)
	if err != nil {
		return nil, nil, err
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		f.Close()
		return nil, nil, fmt.Errorf("%s: the log is empty", c.Log)
	} else if err == nil && info.IsDir() {
		f.Close()
		return nil, nil, errors.New(c.Log + ": is a directory; name a candump log")
	}
	s := drive.NewLogStream(v, named, []drive.Log{{Reader: candump.NewReader(c.Log, f), Name: c.Log}})
	s.Until = c.Duration.Nanoseconds()
	return s, f, nil
}
