// SPDX-License-Identifier: Apache-2.0

package main

// The columns and distances of the picture.
const (
	width      = 1116
	margin     = 24 // around the lanes, and between them
	inner      = 22 // in a lane
	gap        = 12 // between two rows
	leftX      = margin + inner
	leftWidth  = 382
	rightWidth = 382
	rightX     = width - margin - inner - rightWidth
	heading    = 78 // height of a lane's title and of the names of its sides
	border     = 34 // height of the line that says where the inside begins
	around     = 12 // what the inside is wider than its boxes
)

// picture returns the SVG.
func picture() string {
	var body canvas
	y := margin
	for _, l := range lanes {
		y = body.lane(l, y) + margin
	}
	var page canvas
	page.head(width, y, "The way of a call: cold, warm, and in-process")
	return page.String() + body.String() + "</svg>\n"
}

// lane draws a lane and returns where it ends.
func (c *canvas) lane(l lane, top int) int {
	var rows canvas
	y, inside := top+heading, 0
	for i, r := range l.rows {
		if i == l.firstForeign {
			inside = y
			y += border
		}
		y = rows.row(r, y) + gap
	}
	bottom := y - gap + inner

	c.rect(margin, top, width-2*margin, bottom-top, "lane")
	c.titled(leftX, top+32, l.name, l.by)
	c.text(width-margin-inner, top+32, "quiet end", l.cost)
	c.text(leftX, top+62, "head", l.here)
	c.text(rightX, top+62, "head", l.there)
	c.rect(rightX-around, inside, rightWidth+2*around, bottom-around/2-inside, "target")
	c.text(rightX+rightWidth/2, inside+22, "inside middle", "inside the target's namespaces")
	c.WriteString(rows.String())
	return bottom
}

// row draws a row and returns where it ends. What is lower stands in the middle of what is higher.
func (c *canvas) row(r row, top int) int {
	height := max(boxHeight(len(r.left)), boxHeight(len(r.right)))
	at := func(lines []string) int { return top + (height-boxHeight(len(lines)))/2 }
	if r.left != nil {
		c.box(leftX, at(r.left), leftWidth, "caller", r.left)
	}
	if r.right != nil {
		c.box(rightX, at(r.right), rightWidth, "box", r.right)
	}
	if r.what == "" {
		return top + height
	}
	from, to, y := leftX+leftWidth+6, rightX-6, top+height/2
	if r.how == "" {
		y += 5 // what is above stands in the middle
	}
	if r.back {
		from, to = to, from
	}
	c.line(from, y, to, y, "arrow")
	c.text((from+to-around)/2, y-8, "code middle", r.what)
	c.text((from+to-around)/2, y+18, "quiet middle", r.how)
	return top + height
}
